"""Commands of the language that are refused here, each with the reason that the error message gives."""

from __future__ import annotations

from logsql.diagnostics.messages import Text, text
from logsql.planner.spec import REFUSED_COMMANDS

_NODES = text(
    "it manages the nodes of a vendor cluster; a local database has none",
    "벤더 클러스터의 노드를 관리하는 명령이며, 로컬 데이터베이스에는 노드가 없습니다",
)
_AGENT = text(
    "it asks an agent on another machine, which belongs to the vendor's server",
    "벤더 서버에 속한 다른 장비의 에이전트에 묻는 명령입니다",
)
_SIEM = text(
    "it belongs to the vendor's SIEM product and its databases", "벤더의 SIEM 제품과 그 데이터베이스에 속한 명령입니다"
)
_HOST = text(
    "it inspects the machine it runs on; collect the files first and read those",
    "실행 중인 장비를 조사하는 명령입니다. 먼저 파일을 수집해 그 파일을 읽으세요",
)
_BROWSER = text(
    "no reader for this browser database exists here yet; sqlite-records reads its tables",
    "이 브라우저 데이터베이스를 읽는 기능은 아직 없습니다. 테이블은 sqlite-records로 읽습니다",
)
_ESE = text("no reader for ESE databases exists here yet", "ESE 데이터베이스를 읽는 기능은 아직 없습니다")
_ARTIFACT = text("no reader for this kind of file exists here yet", "이 종류의 파일을 읽는 기능은 아직 없습니다")
_PCAP = text("no reader for packet captures exists here yet", "패킷 캡처를 읽는 기능은 아직 없습니다")
_SERVER = text(
    "it needs another server's protocol, which is not offered here",
    "다른 서버의 프로토콜이 필요하며, 여기서는 제공하지 않습니다",
)
_MAIL = text(
    "nothing is sent to other machines from a query; write a file with outputjson or outputtxt and send that",
    "쿼리에서 다른 장비로 보내지 않습니다. outputjson이나 outputtxt로 파일을 만들어 보내세요",
)
_JVM = text(
    "it inspects or runs code in the vendor's Java process",
    "벤더의 Java 프로세스를 조사하거나 그 안에서 코드를 실행하는 명령입니다",
)

_REASONS: dict[Text, tuple[str, ...]] = {
    _NODES: ("remote",),
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
    _SERVER: ("hdfs", "jmsrecv", "jmssend", "mongo"),
    _MAIL: ("sendslack",),
    text(
        "it asks another vendor's network access control server",
        "다른 벤더의 네트워크 접근 제어 서버에 묻는 명령입니다",
    ): ("genian-nac-nodes",),
    text("it reads the vendor's configuration database", "벤더의 설정 데이터베이스를 읽는 명령입니다"): ("confdb",),
    text("no table of Korean districts comes with this program", "이 프로그램에는 한국 행정구역 표가 없습니다"): (
        "geocode_kr",
    ),
    text("it lists senders of the vendor's server", "벤더 서버의 송신자를 나열하는 명령입니다"): (
        "system-syslog-tcp-senders",
    ),
    text("event contexts need a stream of live rows", "이벤트 컨텍스트에는 실시간 행이 필요합니다"): (),
}

for _reason, _names in _REASONS.items():
    for _name in _names:
        REFUSED_COMMANDS.add(_name, _reason)
