"""A web process that is killed is replaced at once."""

import os
import signal

import uvicorn

from devstack.server import HOST
from tests.processes import PATIENCE
from web import server


def test_s04_the_end_of_a_killed_process_is_noticed_while_its_answer_is_awaited():
    config = uvicorn.Config("tests.web.application:application", log_config=None)
    with server.listener(HOST, 0) as bound:
        process = server.WatchedProcess(config, [bound])
        process.start()
        assert process.pid
        os.kill(process.pid, signal.SIGKILL)
        assert process.parent_conn.poll(PATIENCE)
        assert not process.ping(PATIENCE)
        process.join()
        process.parent_conn.close()
