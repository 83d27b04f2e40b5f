"""The same lake in a bucket: real S3 requests against moto's server."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests
from moto.server import ThreadedMotoServer

from include.insight_invest.errors import LakeError
from include.insight_invest.lake.export import export
from include.insight_invest.lake.place import Place
from tests.fixtures.market import Market
from tests.lake.conftest import files


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, str]]:
    """A client of S3 with an empty bucket ``lake``, and the URL of a folder in it."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    requests.post(f"http://{host}:{port}/moto-api/reset", timeout=10)  # its buckets are the process's
    client = boto3.client("s3", endpoint_url=f"http://{host}:{port}", region_name="us-east-1")
    client.create_bucket(Bucket="lake")
    yield client, f"s3://lake/insight?scheme=http&endpoint_override={host}:{port}&region=us-east-1"
    server.stop()


def objects(client: Any) -> dict[str, tuple[str, object]]:
    """ETag and time of every object, by key."""
    listed = client.list_objects_v2(Bucket="lake").get("Contents", [])
    return {one["Key"]: (one["ETag"], one["LastModified"]) for one in listed if one["Size"]}


def test_a_bucket_holds_what_a_folder_does(loaded: Market, folder: Path, bucket: tuple[Any, str]) -> None:
    client, url = bucket
    assert export(loaded.url, url) == export(loaded.url, str(folder))
    content = {key: client.get_object(Bucket="lake", Key=key)["Body"].read() for key in objects(client)}
    assert content == {f"insight/{path}": one for path, one in files(folder).items()}


def test_only_what_changed_is_put(loaded: Market, bucket: tuple[Any, str]) -> None:
    client, url = bucket
    export(loaded.url, url)
    before = objects(client)
    assert export(loaded.url, url).written == ()
    assert objects(client) == before
    loaded.rows("update tb_bar set close = 51 where meta_id = 2 and trade_date = '2026-01-06'")
    assert export(loaded.url, url).written == ("prices/market=US/year=2026/part-0.parquet",)
    after = objects(client)
    assert {key for key in after if after[key] != before[key]} == {
        "insight/manifest.json",
        "insight/prices/market=US/year=2026/part-0.parquet",
    }


def test_an_upload_that_breaks_off_leaves_the_file_as_it_was(bucket: tuple[Any, str]) -> None:
    client, url = bucket
    place = Place(url)
    place.put("a/b", lambda stream: stream.write(b"whole"))

    def half(stream: Any) -> None:
        stream.write(b"half")
        raise OSError("the task was stopped")

    with pytest.raises(LakeError, match=r"cannot write a/b into the lake .* the task was stopped"):
        place.put("a/b", half)
    assert client.get_object(Bucket="lake", Key="insight/a/b")["Body"].read() == b"whole"
    assert place.sizes() == {"a/b": 5}


def test_a_bucket_that_is_not_there_is_told(bucket: tuple[Any, str]) -> None:
    _, url = bucket
    with pytest.raises(LakeError, match="cannot write a into the lake"):
        Place(url.replace("s3://lake/", "s3://nowhere/")).put("a", lambda stream: stream.write(b"1"))
