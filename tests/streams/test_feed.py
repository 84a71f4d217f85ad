"""Feeds: what was appended is read again, by number, whatever ended the process or damaged the file."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from logsql.store.files import Files
from logsql.streams.feed import Broken, Feed, FeedFull
from tests.streams.feeds import batch, numbers, opened, segment_files
from tests.support import ROOT


def test_rows_come_back_in_order_by_their_numbers(tmp_path: Path) -> None:
    feed = opened(tmp_path / "f")
    assert (feed.start, feed.end, feed.published, feed.read(0)) == (0, 0, 0, None)
    assert feed.append(batch(0, 5)) == 5
    assert (feed.end, feed.published, feed.read(0)) == (5, 0, None)
    feed.publish()
    feed.append(batch(5, 3))
    feed.publish()
    assert numbers(feed) == list(range(8))
    assert numbers(feed, 3, most=2) == [3, 4, 5, 6, 7]
    taken = feed.read(4, most=2)
    assert taken is not None
    assert (taken.first, taken.next, taken.rows["text"].to_pylist()) == (4, 6, ["0000000004", "0000000005"])
    assert (feed.read(8), feed.read(99)) == (None, None)
    feed.close()
    assert numbers(opened(tmp_path / "f")) == list(range(8))


def test_segments_follow_each_other_and_go_when_they_are_released(tmp_path: Path) -> None:
    feed = opened(tmp_path / "f", segment=3000)
    for first in range(0, 1000, 20):
        feed.append(batch(first, 20), note=b"at %d" % first)
        feed.publish()
    count = len(segment_files(tmp_path / "f"))
    assert count > 10
    assert numbers(feed) == list(range(1000))
    whole, half = feed.backlog(0), feed.backlog(500)
    assert whole > half > feed.backlog(980) > feed.backlog(1000) == 0
    assert feed.size == sum(path.stat().st_size for path in segment_files(tmp_path / "f")) > whole - 500
    feed.release(500)
    assert 400 < feed.start <= 500
    assert len(segment_files(tmp_path / "f")) < count
    assert numbers(feed, 500) == list(range(500, 1000))
    assert numbers(feed, 0)[0] == feed.start
    feed.close()
    again = opened(tmp_path / "f", segment=3000)
    assert numbers(again, 500) == list(range(500, 1000))
    again.release(1000)
    assert again.note == b"at 980"
    again.close()
    last = opened(tmp_path / "f", segment=3000)
    assert (last.end, last.note) == (1000, b"at 980"), "numbers and note outlive the rows"
    assert last.size < 6000
    assert last.append(batch(1000, 1)) == 1001


def test_a_cut_forgets_what_was_not_committed(tmp_path: Path) -> None:
    feed = opened(tmp_path / "f", segment=700)
    for first in range(0, 100, 10):
        feed.append(batch(first, 10), note=b"%d" % (first + 10))
    feed.close()
    again = opened(tmp_path / "f", segment=700)
    again.cut(40)
    assert (again.end, again.published, again.note) == (40, 40, b"40")
    assert numbers(again) == list(range(40))
    again.append(batch(40, 10), note=b"new")
    again.publish()
    again.close()
    third = opened(tmp_path / "f", segment=700)
    assert (numbers(third), third.note) == (list(range(50)), b"new")
    with pytest.raises(Broken):
        third.cut(45)  # no append ended there


def test_a_feed_that_is_shorter_than_what_was_committed_goes_on_at_the_committed_number(tmp_path: Path) -> None:
    feed = opened(tmp_path / "f")
    feed.append(batch(0, 10))
    feed.publish()
    feed.cut(30)
    assert (feed.end, feed.read(10), feed.wait(10, 0)) == (30, None, False)
    feed.append(batch(30, 5))
    feed.publish()
    assert feed.wait(10, 0)
    taken = feed.read(10)
    assert taken is not None
    assert (taken.first, taken.next) == (30, 35)
    feed.close()
    again = opened(tmp_path / "f")
    assert numbers(again) == [*range(10), *range(30, 35)]
    again.cut(30)
    assert (numbers(again), again.append(batch(30, 1))) == (list(range(10)), 31)
    again.close()
    assert numbers(opened(tmp_path / "f")) == [*range(10), 30]


@pytest.mark.parametrize("lost", [1, 7, 40, 63, 64, 65, 200])
def test_a_torn_last_record_is_cut_off(tmp_path: Path, lost: int) -> None:
    feed = opened(tmp_path / "f")
    for first in (0, 5, 10):
        feed.append(batch(first, 5), note=b"%d" % first)
    feed.close()
    (path,) = segment_files(tmp_path / "f")
    os.truncate(path, path.stat().st_size - lost)
    again = opened(tmp_path / "f")
    assert numbers(again) == list(range(10))
    assert again.repaired > 0
    assert again.note == b"5"
    again.append(batch(10, 1))
    again.close()
    last = opened(tmp_path / "f")
    assert (numbers(last), last.repaired) == (list(range(11)), 0)


def test_a_file_that_was_only_begun_is_removed(tmp_path: Path) -> None:
    feed = opened(tmp_path / "f")
    feed.append(batch(0, 5))
    feed.close()
    (tmp_path / "f" / f"{2:012d}.feed").write_bytes(b"LSQF")
    again = opened(tmp_path / "f")
    assert (numbers(again), len(segment_files(tmp_path / "f"))) == (list(range(5)), 1)


def _damage(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 0x10
    path.write_bytes(data)


def test_damage_of_what_was_on_the_disk_is_told(tmp_path: Path) -> None:
    feed = opened(tmp_path / "f")
    for first in (0, 5):
        feed.append(batch(first, 5))
    middle = feed.size
    feed.sync()
    feed.append(batch(10, 5))
    feed.close()
    (path,) = segment_files(tmp_path / "f")
    _damage(path, middle - 20)
    with pytest.raises(Broken) as caught:
        opened(tmp_path / "f")
    assert caught.value.code == "E3220"
    assert str(path) in caught.value.diagnostic.message
    assert f"mv {tmp_path / 'f'} {tmp_path / 'f'}.damaged" in (caught.value.diagnostic.help or "")


def test_what_a_power_cut_damaged_before_it_was_on_the_disk_is_a_torn_end(tmp_path: Path) -> None:
    """Pages reach the disk in any order: a later record may be whole where an earlier one is not."""
    feed = opened(tmp_path / "f")
    feed.append(batch(0, 5))
    feed.sync()
    feed.append(batch(5, 5))
    middle = feed.size
    feed.append(batch(10, 5))
    feed.close()
    (path,) = segment_files(tmp_path / "f")
    _damage(path, middle - 20)
    again = opened(tmp_path / "f")
    assert numbers(again) == list(range(5))
    assert again.repaired > 0


def test_damage_while_it_runs_is_told_to_the_reader(tmp_path: Path) -> None:
    feed = opened(tmp_path / "f")
    feed.append(batch(0, 5))
    feed.publish()
    (path,) = segment_files(tmp_path / "f")
    with path.open("r+b") as file:
        file.seek(-20, os.SEEK_END)
        file.write(b"\xff\xfe\xfd")
    with pytest.raises(Broken):
        feed.read(0)


def test_a_missing_file_in_between_is_told(tmp_path: Path) -> None:
    feed = opened(tmp_path / "f", segment=500)
    for first in range(0, 50, 10):
        feed.append(batch(first, 10))
    feed.close()
    segment_files(tmp_path / "f")[1].unlink()
    with pytest.raises(Broken):
        opened(tmp_path / "f", segment=500)


def test_a_newer_form_is_refused(tmp_path: Path) -> None:
    import struct
    import zlib

    opened(tmp_path / "f").close()
    (path,) = segment_files(tmp_path / "f")
    data = bytearray(path.read_bytes())
    data[4:6] = struct.pack("<H", 9)
    data[60:64] = struct.pack("<I", zlib.crc32(data[:60]))
    path.write_bytes(data)
    with pytest.raises(Broken, match="newer version"):
        opened(tmp_path / "f")


def test_each_answer_has_one_schema(tmp_path: Path) -> None:
    feed = opened(tmp_path / "f")
    wide = pa.schema([("n", pa.int64()), ("text", pa.string()), ("more", pa.list_(pa.float64()))])
    feed.append(batch(0, 3))
    feed.append(pa.RecordBatch.from_pydict({"n": [3, 4], "text": ["a", None], "more": [[1.5], None]}, wide))
    feed.append(batch(5, 2))
    feed.append(batch(7, 2))
    feed.publish()
    feed.close()
    feed = opened(tmp_path / "f")
    sizes, position = [], 0
    while (taken := feed.read(position)) is not None:
        sizes.append((taken.rows.num_rows, taken.rows.schema.names))
        position = taken.next
    assert sizes == [(3, ["n", "text"]), (2, ["n", "text", "more"]), (4, ["n", "text"])]
    found = feed.read(3)
    assert found is not None
    assert found.rows.to_pylist()[0] == {"n": 3, "text": "a", "more": [1.5]}


def test_dictionaries_become_what_they_stand_for(tmp_path: Path) -> None:
    feed = opened(tmp_path / "f")
    words = pa.array(["a", "b", "a"]).dictionary_encode()
    nested = pa.ListArray.from_arrays(pa.array([0, 1, 1, 3], pa.int32()), words)
    feed.append(pa.RecordBatch.from_arrays([words, nested], ["w", "l"]))
    feed.publish()
    taken = feed.read(0)
    assert taken is not None
    assert taken.rows.to_pydict() == {"w": ["a", "b", "a"], "l": [["a"], [], ["b", "a"]]}


def test_a_slice_writes_only_its_rows(tmp_path: Path) -> None:
    feed = opened(tmp_path / "f")
    feed.append(batch(0, 100_000).slice(50_000, 3))
    feed.publish()
    assert numbers(feed) == [50_000, 50_001, 50_002]
    assert feed.size < 3000


def test_times_of_a_record_are_told_without_its_rows(tmp_path: Path) -> None:
    feed = opened(tmp_path / "f")
    for unit, times in (("us", [7, None, 5_000_000]), ("ms", [2, 9])):
        column = pa.array(times, pa.timestamp(unit, "UTC"))
        feed.append(pa.RecordBatch.from_arrays([column], ["_time"]))
    feed.append(batch(5, 2))
    feed.publish()
    assert feed.times(1) == (0, 3, 7, 5_000_000)
    assert feed.times(3) == (3, 5, 2_000, 9_000)
    assert feed.times(6) == (5, 7, None, None)
    assert feed.times(7) is None


def test_a_note_alone_is_kept(tmp_path: Path) -> None:
    feed = opened(tmp_path / "f")
    feed.append(batch(0, 2), b"two")
    feed.publish()
    feed.append(batch(0, 0), b"later")
    assert feed.note == b"two"
    feed.publish()
    assert feed.note == b"later"
    feed.close()
    again = opened(tmp_path / "f")
    assert (again.note, again.end, numbers(again)) == (b"later", 2, [0, 1])


def test_who_waits_is_woken(tmp_path: Path) -> None:
    feed = opened(tmp_path / "f")
    woken = threading.Event()
    feed.add_waker(woken.set)
    found: list[bool] = []
    waiter = threading.Thread(target=lambda: found.append(feed.wait(0, 30)))
    waiter.start()
    feed.append(batch(0, 1))
    assert not woken.is_set()
    feed.publish()
    waiter.join(30)
    assert (found, woken.is_set()) == ([True], True)
    assert feed.wait(1, 0.01) is False
    feed.remove_waker(woken.set)
    woken.clear()
    feed.publish()
    assert not woken.is_set()


def test_many_read_while_one_writes_and_releases(tmp_path: Path) -> None:
    feed = opened(tmp_path / "f", segment=20_000)
    total = 20_000
    readers = 4
    at, seen, failed = [0] * readers, [0] * readers, []

    def read(me: int) -> None:
        try:
            while at[me] < total and feed.wait(at[me], 30):
                taken = feed.read(at[me], most=700)
                assert taken is not None
                assert taken.rows["n"].to_pylist() == list(range(taken.first, taken.next))
                assert taken.first == at[me]
                seen[me] += taken.rows.num_rows
                at[me] = taken.next
                feed.release(min(at))
        except BaseException as problem:
            failed.append(problem)

    threads = [threading.Thread(target=read, args=(me,)) for me in range(readers)]
    for thread in threads:
        thread.start()
    for first in range(0, total, 50):
        feed.append(batch(first, 50))
        feed.publish()
        if first % 1000 == 0:
            feed.sync()
    for thread in threads:
        thread.join(60)
    assert failed == []
    assert seen == [total] * readers
    assert len(segment_files(tmp_path / "f")) <= 2


#: A process that appends and tells what was appended and synced, until it is ended.
WRITER = """
import sys
from pathlib import Path
from tests.streams.feeds import batch, opened
feed = opened(Path(sys.argv[1]), segment=40_000)
first = feed.end
while True:
    feed.append(batch(first, 37, width=100), note=str(first + 37).encode())
    feed.publish()
    first += 37
    sys.stdout.write(f"{first}\\n")
    sys.stdout.flush()
"""


def test_kill_9_loses_nothing_that_was_appended(tmp_path: Path) -> None:
    told = 0
    for turn in range(6):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path / "f")], cwd=ROOT, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            told = int(process.stdout.readline())
            time.sleep(0.03 * turn)
            process.kill()
            for line in process.stdout:
                told = int(line) if line.endswith("\n") else told
        feed = opened(tmp_path / "f", segment=40_000)
        assert feed.end >= told
        assert feed.end % 37 == 0
        assert feed.note == str(feed.end).encode()
        feed.close()
    assert numbers(opened(tmp_path / "f", segment=40_000)) == list(range(feed.end))
    assert feed.end > 6 * 37


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 400 KB; only root can mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    made = sys.platform == "linux" and os.geteuid() == 0
    if not made or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(place)]).returncode:
        pytest.skip("mounting a small disk takes root on Linux")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_leaves_no_half_record(small_disk: Path) -> None:
    feed = Feed(small_disk / "f", Files(), segment=50_000)
    first = 0
    with contextlib.suppress(FeedFull):
        while True:
            feed.append(batch(first, 100), note=b"%d" % first)
            feed.publish()
            first += 100
    assert first > 1000
    assert numbers(feed) == list(range(first))
    for _ in range(3):
        with pytest.raises(FeedFull):
            feed.append(batch(first, 10_000))
    feed.release(first - 500)
    assert feed.append(batch(first, 100)) == first + 100
    feed.publish()
    feed.close()
    again = Feed(small_disk / "f", Files(), segment=50_000)
    assert again.repaired == 0
    assert numbers(again, first - 500) == list(range(first - 500, first + 100))


@pytest.mark.posix
def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    opened(tmp_path / "f").close()
    assert (tmp_path / "f").stat().st_mode & 0o777 == 0o700
    assert [path.stat().st_mode & 0o777 for path in segment_files(tmp_path / "f")] == [0o600]
