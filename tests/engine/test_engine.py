from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support import jobs

from datareplicator.engine import default_workers, run_here, run_in_pool, run_job
from datareplicator.errors import EngineError, ModelError

TESTS = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_the_order_of_the_items(workers: int) -> None:
    assert list(run_job(jobs.Square(offset=1, slow=1), range(5), workers)) == [1, 2, 5, 10, 17]


def test_no_items_give_no_results() -> None:
    assert list(run_job(jobs.Square(), [], 2)) == []


def test_a_pool_takes_no_more_items_than_it_may_hold() -> None:
    taken = []

    def items():
        for k in range(20):
            taken.append(k)
            yield k

    results = run_in_pool(jobs.Square(), items(), 2)
    assert next(results) == 0
    assert len(taken) == 4  # one given out, three under way or waiting
    results.close()


@pytest.mark.parametrize("workers", [1, 2])
def test_errors_of_ours_arrive_whole(workers: int) -> None:
    with pytest.raises(ModelError) as caught:
        list(run_job(jobs.Refuse(), range(4), workers))
    assert caught.value.hint == "Leave it out."


def test_a_killed_worker_is_an_error_with_a_way_out() -> None:
    with pytest.raises(EngineError, match="--workers 1"):
        list(run_in_pool(jobs.Die(), range(4), 2))


@pytest.mark.parametrize("workers", [1, 2])
def test_matrix_products_run_on_one_thread(workers: int) -> None:
    for threads in run_job(jobs.Threads(), range(2), workers):
        assert threads and set(threads) == {1}


def _wait_for(condition, seconds: float = 20.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z" if Path("/proc").is_dir() else True


def test_closing_early_ends_the_processes_at_once(tmp_path: Path) -> None:
    results = run_in_pool(jobs.Sleep(str(tmp_path)), range(4), 2)
    assert next(results) == 0
    assert _wait_for(lambda: list(tmp_path.iterdir()))
    begin = time.monotonic()
    results.close()
    assert time.monotonic() - begin < 20
    assert not any(_alive(int(path.name)) for path in tmp_path.iterdir())


def test_workers_leave_when_their_parent_is_killed(tmp_path: Path) -> None:
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); from support import jobs\n"
        "from datareplicator.engine import run_in_pool\n"
        "if __name__ == '__main__': list(run_in_pool(jobs.Sleep(sys.argv[2]), range(1, 4), 2))\n"
    )
    file = tmp_path / "parent.py"
    file.write_text(script)
    pids = tmp_path / "pids"
    pids.mkdir()
    parent = subprocess.Popen([sys.executable, str(file), str(TESTS), str(pids)])
    assert _wait_for(lambda: len(list(pids.iterdir())) == 2)
    parent.kill()
    parent.wait()
    assert _wait_for(lambda: not any(_alive(int(path.name)) for path in pids.iterdir()))


def test_default_workers_never_exceed_the_items() -> None:
    assert default_workers(1) == 1
    assert 1 <= default_workers(1000) <= (os.cpu_count() or 1)


def test_here_is_lazy() -> None:
    done = []

    class Note:
        def setup(self) -> None:
            return None

        def run(self, state: None, item: int) -> int:
            done.append(item)
            return item

    results = run_here(Note(), range(3))
    assert next(results) == 0
    assert done == [0]
