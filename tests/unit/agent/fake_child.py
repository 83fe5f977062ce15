"""Programs of the ramdisk, faked: what they say, and how they were called."""

from collections.abc import Callable

from bessemer_agent.child import Output
from bessemer_agent.error import ChildFailed

Answer = str | Exception | Callable[[list[str]], str]


class FakeChild:
    """Answers argument lists by their first words; unknown programs fail as missing ones do."""

    def __init__(self, answers: dict[str, Answer] | None = None) -> None:
        self.answers: dict[str, Answer] = answers or {}
        self.calls: list[list[str]] = []

    def __call__(
        self, argv: list[str], *, timeout_s: float, check: bool = True, encoding: str = "utf-8"
    ) -> Output:
        assert timeout_s > 0
        self.calls.append(argv)
        line = " ".join(argv)
        for start, answer in self.answers.items():
            if line.startswith(start):
                if isinstance(answer, Exception):
                    if check:
                        raise answer
                    return Output(1, "", str(answer))
                return Output(0, answer(argv) if callable(answer) else answer, "")
        if check:
            raise ChildFailed(f"{argv[0]} is not in this ramdisk")
        return Output(127, "", "")

    def lines(self) -> list[str]:
        return [" ".join(argv) for argv in self.calls]
