"""Commands of the language that are refused here, each with the reason that the error message gives."""

from __future__ import annotations

from logsql.planner.spec import COMMANDS, REFUSED_COMMANDS

_NODES = "it manages the nodes of a vendor cluster; a local database has none"
_AGENT = "it asks an agent on another machine, which belongs to the vendor's server"
_SIEM = "it belongs to the vendor's SIEM product and its databases"
_LIVE = "it waits for live rows of collectors, which a local database does not have"
_HOST = "it inspects the machine it runs on; collect the files first and read those"
_BROWSER = "no reader for this browser database exists here yet; sqlite-records reads its tables"
_ESE = "no reader for ESE databases exists here yet"
_ARTIFACT = "no reader for this kind of file exists here yet"
_PCAP = "no reader for packet captures exists here yet"
_SERVER = "it needs another server's protocol, which is not offered here"
_DATABASE = "no other database is connected here; read its export with csvfile, or DuckDB files with SQL"
_MAIL = "nothing is sent to other machines from a query; write a file with outputjson or outputtxt and send that"
_JVM = "it inspects or runs code in the vendor's Java process"

_REASONS: dict[str, tuple[str, ...]] = {
    _NODES: ("remote",),
    _LIVE: ("logger", "stream"),
    _JVM: ("groovy", "jmap", "exec"),
    _AGENT: (
        "sentry-arp-cache",
        "sentry-bundles",
        "sentry-jstack",
        "sentry-logger-configs",
        "sentry-logger-connect",
        "sentry-logger-create",
        "sentry-logger-deploy",
        "sentry-logger-disconnect",
        "sentry-logger-remove",
        "sentry-logger-set-interval",
        "sentry-logger-set-schedule",
        "sentry-logger-set-time-range",
        "sentry-logger-start",
        "sentry-logger-stop",
        "sentry-loggers",
        "sentry-netstat",
        "sentry-processes",
        "sentry-routing-table",
        "sentry-top-threads",
        "sentryswap",
    ),
    _SIEM: (
        "alert",
        "alertmsg",
        "auditmsg",
        "behavior",
        "dataset",
        "event",
        "iplookup",
        "matchbehavior",
        "matchblackip",
        "matchfeed",
        "matchnet",
        "matchport",
        "matchsig",
        "node-behavior",
        "node-feed",
        "node-ip-blacklist",
        "node-pattern-group",
        "node-port-group",
        "node-subnet-group",
        "sonar-export-report",
        "sonar-send-report",
        "sonar-set-ip-address",
    ),
    _HOST: tuple(
        f"linux-{name}"
        for name in (
            "arp-entries",
            "connections",
            "cron-jobs",
            "env",
            "failed-logins",
            "hidden-files",
            "logins",
            "network-interfaces",
            "no-owner-files",
            "non-device-files",
            "open-files",
            "partitions",
            "pipes",
            "processes",
            "recent-files",
            "rkhunter",
            "routes",
            "setuid-files",
            "shell-commands",
            "shell-sessions",
            "system-files",
            "system-info",
            "systemd-services",
            "systemd-timers",
            "tmp-files",
            "user-groups",
            "users",
            "vmstats",
        )
    ),
    _BROWSER: (
        "chrome-cookies",
        "chrome-downloads",
        "chrome-plugin-artifacts",
        "chrome-search-terms",
        "chrome-visits",
        "firefox-downloads",
        "firefox-visits",
        "timeline-activities",
    ),
    _ESE: (
        "esedb-columns",
        "esedb-records",
        "esedb-tables",
        "ie-cache-files",
        "ie-cookies",
        "ie-downloads",
        "ie-visits",
        "srum-application-resource-usages",
        "srum-energy-usages",
        "srum-long-term-energy-usages",
        "srum-network-connectivities",
        "srum-network-usages",
        "srum-push-notifications",
    ),
    _ARTIFACT: (
        "automatic-destinations-file",
        "custom-destinations-file",
        "eml-file",
        "lnk-file",
        "prefetch-file",
        "recent-file-cache",
        "wer-file",
        "wmi-objects-data",
    ),
    _PCAP: (
        "decodedhcp",
        "decodedns",
        "decodehttp",
        "decodesflow",
        "outputpcap",
        "pcapdecode",
        "pcapfile",
        "pcapreplay",
    ),
    _SERVER: ("ftp", "hdfs", "jmsrecv", "jmssend", "mongo", "rss", "sftp"),
    _DATABASE: ("dbcall", "dbload", "dblookup", "dboutput", "dbquery", "dbscript"),
    _MAIL: ("sendmail", "sendslack", "sendsyslog", "sendsyslog-tcp"),
    "it asks another vendor's network access control server": ("genian-nac-nodes",),
    "it reads the vendor's configuration database": ("confdb",),
    "tables here carry no signatures to verify; DuckDB checks its own blocks": ("checktable",),
    "log schemas come from the vendor's server; use rename and fields": ("schema",),
    "no table of Korean districts comes with this program": ("geocode_kr",),
    "files are not renamed by queries; write to the path with outputcsv, outputjson or outputtxt": ("mv",),
    "it lists senders of the vendor's server": ("system-syslog-tcp-senders",),
    "event contexts need a stream of live rows": ("evtctxadd", "evtctxdel", "evtctxdrop", "evtctxlist"),
    "it fetches from the network, which is not offered in this version": ("wget", "ldapsearch", "nslookup"),
}

for _reason, _names in _REASONS.items():
    for _name in _names:
        if _name not in COMMANDS:
            REFUSED_COMMANDS[_name] = _reason
