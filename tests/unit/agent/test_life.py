from pathlib import Path

from bessemer_agent.life import Life, load_life, save_life
from bessemer_agent.secret import Secret


def test_a_token_survives_a_restart_and_is_for_root_only(tmp_path: Path) -> None:
    life = Life("n1", Secret("t0ken"), has_reported=True)
    save_life(life, tmp_path / "run")
    assert load_life(tmp_path / "run") == life
    assert (tmp_path / "run/life.json").stat().st_mode & 0o077 == 0


def test_a_first_start_or_a_damaged_file_is_a_new_life(tmp_path: Path) -> None:
    assert load_life(tmp_path) == Life()
    (tmp_path / "life.json").write_text("{")
    assert load_life(tmp_path) == Life()
    (tmp_path / "life.json").write_text("[]")
    assert load_life(tmp_path) == Life()
