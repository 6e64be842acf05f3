"""Maps of one picture as a page of HTML that stands alone: to keep, to send, to print.

Everything is in the file, pictures as data URIs; nothing is fetched and nothing runs. Names of classes, files and
networks come from strangers and are escaped.
"""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from datetime import datetime
from html import escape

from alexnet_core import __version__
from alexnet_core.insight.attribution import ATTRIBUTIONS
from alexnet_core.insight.prediction import ClassProbability
from alexnet_core.models import Network
from app import answers, words
from app.explaining import findings, honesty_checks
from app.explaining.map_grid import Answered
from app.explaining.map_look import SHOWN, Look
from app.explaining.method_settings import LAST
from app.explaining.repeat import script

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
"""Even if a name found a way out of its place, the browser would run and fetch nothing."""

STYLE = """
:root { color-scheme: light dark; }
body { font: 17px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
section { display: flex; flex-wrap: wrap; gap: 1.5rem; border-top: 1px solid #8a94a0; padding: 1.5rem 0; }
section > img { width: 20rem; max-width: 100%; align-self: start; }
section > div { flex: 1 1 20rem; min-width: 0; }
section > div img { width: 32rem; max-width: 100%; }
table { border-collapse: collapse; }
th, td { text-align: left; vertical-align: top; padding: 0.15rem 1rem 0.15rem 0; font-weight: normal; }
th { color: #6b7580; width: 10rem; }
h2 { margin-top: 0; }
details { flex-basis: 100%; }
pre { overflow-x: auto; font-size: 14px; }
@media print { section { break-inside: avoid; } }
"""


def report(top: Sequence[ClassProbability], maps: Sequence[Answered], look: Look) -> str:
    """The page: the picture, what the network says, each map with its settings, facts and sentences, and how to
    compute it again. `maps` holds at least one."""
    network, picture = maps[0].question.network, maps[0].question.asked.picture
    square = answers.png(answers.square(network.preprocessing, picture))
    said = [(one.name, words.percent(one.probability)) for one in top]
    scale = "one scale for all maps" if look.one_scale else "each map on its own scale"
    channel = "" if look.channel is None else f", of {('red', 'green', 'blue')[look.channel]} alone"
    about = [
        ("Network", network_name(network)),
        ("It gets", f"the centre square in {words.pixels(network.preprocessing.size)}"),
        ("Maps show", f"{SHOWN[look.show].lower()}{channel}; {scale}"),
        ("Made", f"{datetime.now():%Y-%m-%d %H:%M} with AlexNet Explorer {__version__}"),
    ]
    title = f"Why the network says {top[0].name}"
    return "\n".join(
        [
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>",
            f"<h1>{escape(title)}</h1>",
            f"<section>\n{_image(square, f'The picture {picture.name}')}\n<div>",
            f"<p>{escape(picture.name)}</p>\n{_table([*said, *about])}\n</div>\n</section>",
            *(_map(one, look) for one in maps),
            "</body>\n</html>\n",
        ]
    )


def network_name(network: Network) -> str:
    """Which network it is and where its weights come from, nothing said twice."""
    return network.source if network.title in network.source else f"{network.title}, {network.source}"


FACTS = {
    "baseline": "Compared with",
    "compared_with": "Compared with",
    "n_steps": "Steps",
    "rise": "Rise of the logit, to be shared out",
    "convergence_delta": "What the shares exceed that by",
    "score": "The logit",
    "map": "Values of the map before it was enlarged",
    "window": "Side of the window, pixels",
    "stride": "From window to window, pixels",
    "windows_tried": "Windows tried until now",
    "cover": "Hidden by",
    "segments": "Pieces of the picture",
    "pieces_that_count": "Pieces whose value is not 0",
}
"""What a method tells of its work, in words, where the code's name says too little."""


def facts(one: Answered) -> list[tuple[str, str]]:
    """(name, value) of all that is known about a map."""
    answer = one.answer
    named = {"Network": network_name(one.question.network)}
    named["Explains"] = f"the logit (score) of {one.question.asked.target_name}"
    settings = {setting.name: setting.title for setting in ATTRIBUTIONS[answer.method].settings}
    named |= {settings[name]: LAST if value is None else _short(value) for name, value in answer.settings.items()}
    told = {FACTS.get(name, name.replace("_", " ").capitalize()): value for name, value in answer.facts.items()}
    named |= {name: _short(value) for name, value in told.items()}
    chosen = [setting.title for setting in ATTRIBUTIONS[answer.method].settings if setting.choices is not None]
    named |= {title: words.option(named[title]) for title in chosen}
    rise, delta = (answer.facts.get(name) for name in ("rise", "convergence_delta"))
    if isinstance(rise, float) and isinstance(delta, float) and rise:
        named[FACTS["convergence_delta"]] += f", {words.percent(abs(delta / rise))} of it"
    named["Values"] = f"{words.shape(answer.values.shape)}, from {answer.values.min():.4g} to {answer.values.max():.4g}"
    named["Sum of the values"] = f"{answer.values.sum():.4g}"
    return list(named.items())


def _map(one: Answered, look: Look) -> str:
    method = ATTRIBUTIONS[one.answer.method]
    title = method.title if one.question.label == method.title else f"{method.title}: {one.question.label}"
    sentences = (
        ("Computes", method.computes),
        ("Can say", method.says),
        ("Cannot say", method.silent_on),
        ("Paper", method.paper),
        ("Colours", look.legend(one.answer)),
    )
    return (
        f"<section>\n{_image(one.png, f'{title}, laid over the picture')}\n<div>\n<h2>{escape(title)}</h2>\n"
        f"{_table([*sentences, *facts(one)])}\n{_tests(one)}</div>\n"
        f"<details>\n<summary>Compute it again</summary>\n<pre>{escape(script(one.question))}</pre>\n"
        "</details>\n</section>"
    )


def _tests(one: Answered) -> str:
    """What the honesty panel has found about a map; a map that nobody tested says so."""
    asked = one.question.asked
    made, steps = findings.made(asked), honesty_checks.known("scrambled", asked)
    if not made:
        return "<p>How far to believe this map was not tested.</p>\n"
    row = ""
    if steps is not None:
        row = _image(answers.png(honesty_checks.cascade_drawn(asked, steps)), findings.what_the_cascade_shows(steps))
    return f"<h3>How far to believe it</h3>\n{_table(made)}\n{row}\n"


def _table(rows: Iterable[tuple[str, str]]) -> str:
    cells = (f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows)
    return f"<table>\n{chr(10).join(cells)}\n</table>"


def _image(png: bytes, alt: str) -> str:
    return f'<img src="data:image/png;base64,{b64encode(png).decode()}" alt="{escape(alt)}">'


def _short(value: float | int | str) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
