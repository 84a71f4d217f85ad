"""An RSS 2.0 and an Atom feed, with what makes feeds hard: Korean text, CDATA, entities, zones, missing parts."""

from __future__ import annotations

RSS = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/">
  <channel>
    <title>보안 공지</title>
    <link>https://feed.example.test/</link>
    <description>Advisories &amp; notices</description>
    <lastBuildDate>Mon, 02 Mar 2026 09:00:00 +0900</lastBuildDate>
    <item>
      <title>취약점 공지 &lt;1&gt;</title>
      <link>https://feed.example.test/1?a=1&amp;b=2</link>
      <guid isPermaLink="false">tag:feed.example.test,2026:1</guid>
      <pubDate>Mon, 02 Mar 2026 08:30:00 +0900</pubDate>
      <dc:creator>김보안</dc:creator>
      <category>CVE</category><category>긴급</category>
      <description><![CDATA[<p>첫 번째 <b>공지</b></p>]]></description>
    </item>
    <item>
      <title>Second</title>
      <link>https://feed.example.test/2</link>
      <guid>https://feed.example.test/2</guid>
      <pubDate>Sun, 01 Mar 2026 23:59:59 GMT</pubDate>
      <description>Text with &amp;amp; an entity</description>
      <enclosure url="https://feed.example.test/2.pdf" length="1234" type="application/pdf"/>
    </item>
    <item>
      <title>Without date or link</title>
      <description/>
    </item>
  </channel>
</rss>
"""
"""Three items: Korean with CDATA, one with an enclosure, one without a date and a link."""

ATOM = """<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom">
  <title>Atom 공지</title>
  <id>urn:uuid:60a76c80-d399-11d9-b93c-0003939e0af6</id>
  <updated>2026-03-02T00:00:00Z</updated>
  <link href="https://feed.example.test/atom" rel="self"/>
  <entry>
    <title type="html">&lt;em&gt;하나&lt;/em&gt;</title>
    <id>urn:uuid:1225c695-cfb8-4ebb-aaaa-80da344efa6a</id>
    <link href="https://feed.example.test/atom/1" rel="alternate"/>
    <published>2026-03-01T12:00:00.250+09:00</published>
    <updated>2026-03-01T18:30:02Z</updated>
    <author><name>Lee</name><email>lee@example.test</email></author>
    <category term="news"/>
    <summary>짧은 글</summary>
    <content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Long &amp; text</p></div></content>
  </entry>
  <entry>
    <title>Two</title>
    <id>urn:two</id>
    <updated>2026-02-28T00:00:00Z</updated>
    <link href="https://feed.example.test/atom/2"/>
  </entry>
</feed>
"""
"""Two entries, the second without summary and published."""

EUC_KR = RSS.replace('encoding="UTF-8"', 'encoding="euc-kr"').encode("euc-kr")
"""The RSS feed in the charset that its XML declaration names."""

BROKEN = RSS[: RSS.index("<title>Second")]
"""Cut in its second item."""
