"""A small site made by the commands themselves, and a way to run them."""

import json
from dataclasses import dataclass

import pytest

from console import cli
from engine import i18n

LIMIT = "approve_refund_fen = 200000"
PASSWORD = "correct horse"
TABLES = {
    "buildings": "building,name\nA,主楼\n",
    "lines": (
        "line,gateway,building,location,link,host,port,device,baud,parity,stop_bits,security\n"
        "L01,W1,A,1F电井,rtu-tcp,127.0.0.1,{port},,9600,N,1,none\n"
    ),
    "meters": (
        "serial,model,line,address,building,location,shop,ct_ratio,kind,floor\n"
        "202611230001,DDSY1352-NK,L01,1,A,1F电井,A-101,1,prepaid,1F\n"
        "202611230002,DTSY1352-NK,L01,2,A,1F电井,A-102,1,prepaid,1F\n"
    ),
    "tenants": "number,name,phone,meters\nT001,万达广场,13800000000,202611230001\n",
    "tariffs": (
        "tariff,valid_from,price_sharp,price_peak,price_flat,price_valley,schedule,steps,cycle\n"
        "商铺,2026-01-01,1.2,1.0,0.7,0.4,,,\n"
    ),
}


@dataclass
class Said:
    """What a command printed, and its exit status."""

    status: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


@pytest.fixture
def run(capsys):
    """Run one command in this process."""
    language = i18n.current()

    def run(*words):
        capsys.readouterr()
        status = cli.main([str(word) for word in words])
        said = capsys.readouterr()
        return Said(int(status), said.out, said.err)

    yield run
    i18n.use(language)


@pytest.fixture
def password_file(tmp_path):
    path = tmp_path / "password"
    path.write_text(f"{PASSWORD}\n", encoding="utf-8")
    return path


@pytest.fixture
def write_tables(tmp_path):
    """The tables above as a folder, the line at `port`."""

    def write_tables(port=1):
        folder = tmp_path / "tables"
        folder.mkdir(exist_ok=True)
        for name, text in TABLES.items():
            (folder / f"{name}.csv").write_text(text.format(port=port), encoding="utf-8")
        return folder

    return write_tables


@pytest.fixture
def site(tmp_path, run, password_file, write_tables):
    """A site with two meters, one of them opened, and an administrator, boss."""
    place = tmp_path / "site"
    made = run("init", place, "--admin", "boss", "--password-file", password_file)
    loaded = run("--site", place, "import", write_tables())
    assert (made.status, loaded.status) == (0, 0), (made.err, loaded.out)
    config = place / "config.toml"
    text = config.read_text(encoding="utf-8")
    assert LIMIT in text, "what the example says of the second person has changed"
    config.write_text(text.replace(LIMIT, "approve_refund_fen = 50000"), encoding="utf-8")
    return place


@pytest.fixture
def on(site, run):
    """Run a command on that site."""
    return lambda *words: run("--site", site, *words)


@pytest.fixture
def as_boss(password_file):
    """The options that say who asks."""
    return ["--as", "boss", "--password-file", password_file]
