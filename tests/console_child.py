"""A console without an engine, as a process of its own: `console_child.py SITE LANGUAGE`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from console.app import ConsoleApp
from engine.config import Config, SiteSection
from models import store

site, language = Path(sys.argv[1]), sys.argv[2]
store.bind(site)
config = Config(site=SiteSection(name="示范商场"))
app = ConsoleApp(site, config, language=language, offer=("李娜", "correct horse"))
app.run(mouse=False)
sys.exit(app.return_code)
