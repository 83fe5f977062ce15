import random

import pytest

from bessemer_agent.error import ImageDownloadFailed, InvalidRequest
from bessemer_agent.http_client import HttpClient, Route, is_bypassed
from bessemer_agent.image.download import Download, Patience
from bessemer_agent.secret import Secret
from unit.agent.image_server import ImageServer

BODY = random.Random(2).randbytes(3_500_000)


def download(server: ImageServer, *urls: str, retries: int = 3, route: Route | None = None) -> Download:
    patience = Patience(retries=retries, pause_s=0.0)
    return Download(list(urls), HttpClient(5.0), route=route, patience=patience, pause=lambda seconds: None)


def test_an_image_is_received_whole_and_its_size_known(image_server: ImageServer) -> None:
    image_server.files["/a"] = BODY
    it = download(image_server, image_server.url("/a"))
    assert b"".join(it.chunks()) == BODY
    assert it.total_bytes == it.received_bytes == len(BODY)


def test_a_dropped_connection_is_taken_up_where_it_broke(image_server: ImageServer) -> None:
    image_server.files["/a"] = BODY
    image_server.drops = [1_500_000, 700_001]
    assert b"".join(download(image_server, image_server.url("/a")).chunks()) == BODY
    resumed = [headers for _, headers in image_server.requests[1:]]
    assert [headers["Range"] for headers in resumed] == ["bytes=1500000-", "bytes=2200001-"]
    assert resumed[0]["If-Range"] == '"v1"'


def test_a_server_without_ranges_is_read_again_from_the_start(image_server: ImageServer) -> None:
    image_server.files["/a"] = BODY
    image_server.has_ranges = False
    image_server.drops = [1_500_000]
    assert b"".join(download(image_server, image_server.url("/a")).chunks()) == BODY


def test_a_url_that_is_gone_leads_to_the_next_at_once(image_server: ImageServer) -> None:
    image_server.files["/b"] = BODY
    it = download(image_server, image_server.url("/a"), image_server.url("/b"))
    assert b"".join(it.chunks()) == BODY
    assert [path for path, _ in image_server.requests] == ["/a", "/b"]


def test_another_url_goes_on_where_the_first_broke_for_good(image_server: ImageServer) -> None:
    image_server.files |= {"/a": BODY, "/b": BODY}
    image_server.drops = [1_000_000]
    image_server.refusals = {"/a": []}
    it = download(image_server, image_server.url("/a"), image_server.url("/b"), retries=0)
    assert b"".join(it.chunks()) == BODY
    path, headers = image_server.requests[-1]
    assert (path, headers["Range"]) == ("/b", "bytes=1000000-")
    assert "If-Range" not in headers


def test_a_busy_server_is_asked_again(image_server: ImageServer) -> None:
    image_server.files["/a"] = BODY
    image_server.refusals = {"/a": [503, 429]}
    assert b"".join(download(image_server, image_server.url("/a")).chunks()) == BODY


def test_giving_up_tells_what_each_url_answered(image_server: ImageServer) -> None:
    image_server.refusals = {"/b": [503] * 9}
    it = download(image_server, image_server.url("/a"), image_server.url("/b"), retries=2)
    with pytest.raises(ImageDownloadFailed, match=r"/a: HTTP 404.*/b: HTTP 503"):
        list(it.chunks())
    assert len(image_server.requests) == 1 + 3


def test_a_server_that_is_not_there_is_an_error() -> None:
    it = Download(["http://127.0.0.1:1/a"], HttpClient(2.0), patience=Patience(0, 0.0))
    with pytest.raises(ImageDownloadFailed, match="refused"):
        list(it.chunks())


def test_an_image_that_changes_under_way_is_an_error(image_server: ImageServer) -> None:
    image_server.files |= {"/a": BODY, "/b": BODY + b"more"}
    image_server.drops = [1_000_000]
    it = download(image_server, image_server.url("/a"), image_server.url("/b"), retries=0)
    with pytest.raises(ImageDownloadFailed, match="changed"):
        list(it.chunks())


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://h/a", "/etc/passwd", "http:///a"])
def test_only_http_urls_are_followed(url: str) -> None:
    with pytest.raises(InvalidRequest, match="not an http"):
        list(Download([url], HttpClient(1.0)).chunks())


def test_a_redirect_to_a_file_is_not_followed(image_server: ImageServer) -> None:
    image_server.redirects["/a"] = "file:///etc/passwd"
    with pytest.raises(ImageDownloadFailed):
        list(download(image_server, image_server.url("/a"), retries=0).chunks())


def test_credentials_are_sent_but_not_to_where_a_redirect_leads(image_server: ImageServer) -> None:
    image_server.files["/b"] = BODY
    image_server.redirects["/a"] = image_server.url("/b")
    route = Route(authorization=Secret("Basic abc"))
    assert b"".join(download(image_server, image_server.url("/a"), route=route).chunks()) == BODY
    first, second = image_server.requests
    assert first[1]["Authorization"] == "Basic abc"
    assert "Authorization" not in second[1]


def test_a_proxy_is_asked_with_the_whole_url(image_server: ImageServer) -> None:
    image_server.files["/a"] = BODY
    route = Route(proxies={"http": image_server.url("")})
    it = download(image_server, "http://images.example/a", route=route)
    assert b"".join(it.chunks()) == BODY
    assert image_server.requests[0][0] == "http://images.example/a"


def test_no_proxy_names_hosts_and_domains() -> None:
    route = Route(no_proxy="localhost, .example.org,10.0.0.1")
    assert is_bypassed("localhost", route)
    assert is_bypassed("a.example.org", route)
    assert is_bypassed("10.0.0.1", route)
    assert not is_bypassed("badexample.org", route)
    assert is_bypassed("anything", Route(no_proxy="*"))


def test_a_download_that_takes_too_long_is_an_error(image_server: ImageServer) -> None:
    image_server.files["/a"] = BODY
    patience = Patience(retries=0, pause_s=0.0, max_duration_s=1e-9)
    it = Download([image_server.url("/a")], HttpClient(5.0), patience=patience)
    with pytest.raises(ImageDownloadFailed, match="longer than"):
        list(it.chunks())


def test_the_query_of_a_signed_url_is_never_told(
    image_server: ImageServer, capsys: pytest.CaptureFixture[str]
) -> None:
    it = download(image_server, image_server.url("/a?signature=s3cret"), retries=0)
    with pytest.raises(ImageDownloadFailed) as caught:
        list(it.chunks())
    assert "s3cret" not in str(caught.value)
    assert "s3cret" not in capsys.readouterr().out
