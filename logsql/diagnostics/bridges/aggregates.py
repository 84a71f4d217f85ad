"""Aggregates of other languages."""

from __future__ import annotations

from logsql.diagnostics.bridges.row import Bridge, aggregate
from logsql.diagnostics.places import Place

AGGREGATES: tuple[Bridge, ...] = (
    *(
        aggregate(
            f"percentile(x, {n})",
            f"percentile(status, {n})",
            f"quantile_cont(status, {n / 100})",
            spl=(f"p{n}", f"perc{n}", f"exactperc{n}", f"upperperc{n}"),
        )
        for n in (1, 5, 10, 25, 50, 75, 90, 95, 98, 99)
    ),
    aggregate(
        "percentile(x, 95)",
        "percentile(status, 95)",
        "quantile_cont(status, 0.95)",
        kql=("percentiles",),
        sql=("percentile_cont", "quantile_cont", "approx_quantile", "quantile", "percentile_approx"),
    ),
    aggregate(
        "dc(x)",
        "dc(user)",
        'count(DISTINCT "user")',
        spl=("distinct_count",),
        esql=("count_distinct",),
        kql=("count_distinct",),
        sql=("approx_count_distinct", "uniq", "distinct", "unique"),
    ),
    aggregate(
        "array(x)",
        "array(user)",
        'list("user")',
        spl=("list",),
        kql=("make_list",),
        sql=("array_agg", "list", "collect_list"),
    ),
    aggregate("values(x)", "values(user)", 'list_sort(list(DISTINCT "user"))', kql=("make_set",), sql=("collect_set",)),
    aggregate(
        "first(x), behind sort _time",
        "first(user)",
        'first("user" ORDER BY _time)',
        spl=("earliest",),
        kql=("arg_min", "take_any", "any"),
        esql=("first_over_time",),
        sql=("any_value", "arg_min", "min_by"),
    ),
    aggregate(
        "last(x), behind sort _time",
        "last(user)",
        'last("user" ORDER BY _time)',
        spl=("latest",),
        kql=("arg_max",),
        esql=("last_over_time",),
        sql=("arg_max", "max_by"),
    ),
    aggregate(
        "stddev(x), of the population",
        "stddev(status)",
        "stddev_pop(status)",
        spl=("stdev", "stdevp"),
        kql=("stdev",),
        esql=("std_dev",),
        sql=("stddev_samp", "stddev_pop"),
    ),
    aggregate(
        "var(x), of the population",
        "var(status)",
        "var_pop(status)",
        kql=("variance",),
        sql=("variance", "var_samp", "var_pop"),
    ),
    aggregate("avg(x)", "avg(status)", "avg(status)", spl=("mean",), sql=("mean",)),
    aggregate(
        "sum(if(CONDITION, 1, 0))",
        "sum(if(status >= 400, 1, 0))",
        "count(*) FILTER (status >= 400)",
        kql=("countif",),
        sql=("count_if", "countif"),
    ),
    aggregate(
        "sum(if(CONDITION, x, 0))",
        "sum(if(status >= 400, status, 0))",
        "sum(status) FILTER (status >= 400)",
        kql=("sumif",),
        sql=("sum_if",),
    ),
    *(
        aggregate(
            f"{here}(if(CONDITION, x, null))",
            f"{here}(if(status >= 400, status, null))",
            f"{there}status) FILTER (status >= 400)",
            kql=(f"{word}if",),
        )
        for word, here, there in (
            ("avg", "avg", "avg("),
            ("max", "max", "max("),
            ("min", "min", "min("),
            ("dcount", "dc", "count(DISTINCT "),
            ("count_distinct", "dc", "count(DISTINCT "),
        )
    ),
    aggregate("sum(x * x)", "sum(status * status)", "sum(status * status)", spl=("sumsq",)),
    Bridge(
        Place.AGGREGATE,
        'array(x) as list | eval list = strjoin(",", list)',
        '| stats array(user) as x | eval x = strjoin(",", x)',
        "SELECT string_agg(\"user\", ',' ORDER BY _time) AS x FROM web",
        sql=("group_concat", "string_agg", "listagg"),
    ),
)
