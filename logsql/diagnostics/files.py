"""Rows about files and input that cannot be read, whatever reads them."""

from __future__ import annotations

from logsql.diagnostics.codes import define

FILE_PROBLEM = define(
    "E3002",
    "file-not-found",
    ("a file or other input cannot be read", "파일이나 입력을 읽을 수 없습니다"),
)
FILE_NOT_READ = FILE_PROBLEM.says(
    ("cannot read {path}: {reason}", "{path} 파일을 읽을 수 없습니다: {reason}"), name="file-not-read"
)
FILE_CONTENT = define(
    "E3003",
    "missing-path",
    ("no path is written, or the file is no text", "경로를 쓰지 않았거나 파일이 텍스트가 아닙니다"),
)
NOT_UTF8 = FILE_CONTENT.says(
    ("{path} is not UTF-8 text (byte {offset})", "{path} 파일이 UTF-8이 아닙니다 (바이트 {offset})"),
    name="file-not-utf8",
)
