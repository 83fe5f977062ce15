import base64
import io
import tarfile
from pathlib import Path

from bessemer_agent.journal import say
from bessemer_agent.system_log import collect_logs, mask
from unit.agent.fake_child import FakeChild


def test_logs_are_an_archive_with_the_token_masked(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cmdline").write_text("quiet ipa-agent-token=s3cret ipa-api-url=http://a\n")
    child = FakeChild(
        {"busybox dmesg": "Command line: ipa-agent-token=s3cret\n", "busybox ip": "addresses\n"}
    )
    say("a line of the agent's own")
    packed = base64.b64decode(collect_logs(child, tmp_path))
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        texts = {name: archive.extractfile(name).read().decode() for name in archive.getnames()}  # type: ignore[union-attr]
    assert "a line of the agent's own" in texts["bessemer-agent"]
    assert texts["proc_cmdline"] == "quiet ipa-agent-token=*** ipa-api-url=http://a\n"
    assert texts["dmesg"] == "Command line: ipa-agent-token=***\n"
    assert "No such file" in texts["proc_meminfo"]
    assert b"s3cret" not in packed


def test_masking_knows_both_spellings_of_the_token() -> None:
    assert mask('agent_token=abc "ipa-agent-token=def"') == 'agent_token=*** "ipa-agent-token=***"'
