"""Running the programs of the ramdisk: argument lists, never a shell, always a deadline."""

from typing import NamedTuple, Protocol

from bessemer_agent.error import ChildFailed


class Output(NamedTuple):
    """What a program said."""

    returncode: int
    stdout: str
    stderr: str


class Run(Protocol):
    """The shape of :func:`run`, for those who take it as a collaborator."""

    def __call__(
        self, argv: list[str], *, timeout_s: float, check: bool = True, encoding: str = "utf-8"
    ) -> Output: ...


def run(argv: list[str], *, timeout_s: float, check: bool = True, encoding: str = "utf-8") -> Output:
    """Run ``argv`` with an empty input to its end, and return what it said.

    ``encoding`` is how its output is read; "latin-1" keeps every byte of binary output.

    Raises:
        ChildFailed: The program is missing, took longer than ``timeout_s`` (it is killed), or, with
        ``check``,
            ended with another status than 0.
    """
    import subprocess

    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding=encoding,
            errors="replace",
            timeout=timeout_s,
            check=False,
        )
    except FileNotFoundError as error:
        raise ChildFailed(f"{argv[0]} is not in this ramdisk") from error
    except subprocess.TimeoutExpired as error:
        raise ChildFailed(f"{' '.join(argv)} took longer than {timeout_s:.0f} s") from error
    if check and done.returncode != 0:
        told = (done.stderr or done.stdout).strip()[-500:]
        raise ChildFailed(f"{' '.join(argv)} ended with status {done.returncode}: {told}")
    return Output(done.returncode, done.stdout, done.stderr)
