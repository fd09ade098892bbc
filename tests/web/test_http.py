"""What HTTP asks of a server: whole requests reach the application, answers are well formed."""

from contextlib import ExitStack

import pytest

from tests.processes import wait_until
from tests.web.clients import answers, connect, exchange, get, received, status

CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
CLOSE = b"Host: a\r\nConnection: close\r\n"


def test_a_request_reaches_the_application_with_its_body(port):
    head = b"POST /a%20b?c=%20d HTTP/1.1\r\n" + CLOSE
    request = received(port, head + b"Content-Type: text/x\r\nContent-Length: 5\r\n\r\nhello")
    assert (request["REQUEST_METHOD"], request["PATH_INFO"]) == ("POST", "/a b")
    assert (request["QUERY_STRING"], request["body"]) == ("c=%20d", "hello")
    assert (request["CONTENT_TYPE"], request["CONTENT_LENGTH"]) == ("text/x", "5")
    assert (request["REMOTE_ADDR"], request["HTTP_HOST"]) == ("127.0.0.1", "a")


def test_a_body_in_chunks_has_a_length_for_the_application(port):
    head = b"POST / HTTP/1.1\r\n" + CLOSE + b"Transfer-Encoding: chunked\r\n\r\n"
    request = received(port, head + b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n")
    assert (request["body"], request["CONTENT_LENGTH"]) == ("abc", "3")
    assert "HTTP_TRANSFER_ENCODING" not in request


def test_s04_trailers_are_dropped(port):
    head = b"POST / HTTP/1.1\r\n" + CLOSE + b"X-A: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
    trailers = b"X-A: 2\r\nX-Forwarded-For: 1.2.3.4\r\nHost: b\r\nAuthorization: Bearer c\r\n"
    request = received(port, head + b"2\r\nab\r\n0\r\n" + trailers + b"\r\n")
    assert (request["HTTP_X_A"], request["HTTP_HOST"], request["body"]) == ("1", "a", "ab")
    assert not {"HTTP_X_FORWARDED_FOR", "HTTP_AUTHORIZATION"} & request.keys()


def test_a_body_in_chunks_of_a_byte_is_read(port):
    head = b"POST / HTTP/1.1\r\n" + CLOSE + b"Transfer-Encoding: chunked\r\n\r\n"
    request = received(port, head + 100_000 * b"1\r\nx\r\n" + b"0\r\n\r\n")
    assert request["CONTENT_LENGTH"] == "100000"


def test_repeated_headers_are_joined_and_ambiguous_ones_dropped(port):
    headers = b"X-A: 1\r\nX-A: 2\r\nCookie: a=1\r\nCookie: b=2\r\nX_Forwarded_For: 1.2.3.4\r\n"
    request = received(port, b"GET / HTTP/1.1\r\n" + CLOSE + headers + b"\r\n")
    assert (request["HTTP_X_A"], request["HTTP_COOKIE"]) == ("1,2", "a=1; b=2")
    assert "HTTP_X_FORWARDED_FOR" not in request


def test_a_proxys_request_line_has_the_path_in_an_address(port):
    request = received(port, b"GET http://a.example/b?c HTTP/1.1\r\n" + CLOSE + b"\r\n")
    assert (request["PATH_INFO"], request["QUERY_STRING"]) == ("/b", "c")


def test_requests_that_are_sent_at_once_are_answered_in_turn(port):
    first, second = (b"GET /%b HTTP/1.1\r\nHost: a\r\n" % name for name in (b"one", b"two"))
    answer = exchange(port, first + b"\r\n" + second + b"Connection: close\r\n\r\n")
    assert answer.count(b"HTTP/1.1 200 OK") == 2
    assert 0 < answer.index(b'"/one"') < answer.index(b'"/two"')


def test_a_client_that_waits_for_permission_gets_it(port):
    head = b"POST / HTTP/1.1\r\n" + CLOSE + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    with connect(port, head) as connection:
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"ab")
        assert b'"body": "ab"' in answers(connection)


def test_requests_that_are_answered_later_hold_no_thread(port):
    request = b"GET /later HTTP/1.1\r\n" + CLOSE + b"\r\n"
    with ExitStack() as stack:
        clients = [stack.enter_context(connect(port, request)) for _ in range(5)]  # 2 threads
        wait_until(lambda: get(port, "/waiting").text == b"5")
        get(port, "/release")
        statuses = sorted(status(answers(client)) for client in clients)
    assert statuses == [200, 200, 200, 200, 500]


@pytest.mark.parametrize("path", [b"/", b"/nothing"])
def test_a_response_to_head_and_one_without_content_have_no_body(port, path):
    method = b"HEAD" if path == b"/" else b"GET"
    answer = exchange(port, method + b" " + path + b" HTTP/1.1\r\n" + CLOSE + b"\r\n")
    assert answer.endswith(b"\r\n\r\n")
    assert (b"Content-Length: " in answer) == (path == b"/")


def test_a_large_response_arrives_whole(port):
    assert get(port, "/large?kB=3000").text == b"x" * 3000 * 1024


def test_an_application_that_fails_is_a_500_and_the_next_request_is_answered(port):
    assert get(port, "/fail").status == 500
    assert get(port, "/").status == 200


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 100_000, 431),
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + b"a:b\r\n" * 10_000 + b"\r\n", 431),
        (CHUNKED + b"2\r\nab\r\n0\r\n" + b"a:b\r\n" * 10_000 + b"\r\n", 431),
        (CHUNKED + b"2\r\nab\r\n0\r\na: " + b"x" * 100_000, 431),
        (CHUNKED + b"2;" + b"x" * 100_000, 431),
        (b"GET http://[ HTTP/1.1\r\n\r\n", 400),
        (b"GET \xff HTTP/1.1\r\n\r\n", 400),
    ],
)
def test_what_is_not_a_request_is_refused(port, data, expected):
    assert status(exchange(port, data)) == expected


def test_s13_an_error_is_not_read_as_another_type_than_it_has(port):
    assert b"\r\nX-Content-Type-Options: nosniff\r\n" in exchange(port, b"nonsense\r\n\r\n")


def test_s04_a_client_that_does_not_wait_for_answers_gets_some_and_is_disconnected(port):
    answer = exchange(port, 1_000 * b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n")
    assert 1 < answer.count(b"HTTP/1.1 200 OK") <= 18
    assert answer.count(b"Connection: close") == 1
