"""The look of the emulator's pages, in one piece: no script, nothing from elsewhere but the media themselves."""

from __future__ import annotations

from html import escape

from aiohttp import web

_STYLE = """
:root{--paper:#fafafa;--card:#fff;--ink:#16181d;--soft:#6b7280;--line:#e3e5ea;--mark:#c2255c;--warn:#9a6700}
@media(prefers-color-scheme:dark){:root{--paper:#111318;--card:#1a1d24;--ink:#e8eaef;--soft:#9aa1ad;--line:#2b303a;
--mark:#f783ac;--warn:#e3b341}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.45 system-ui,sans-serif}
main{max-width:72rem;margin:0 auto;padding:1.5rem 1rem 4rem}
main.narrow{max-width:34rem}
a{color:inherit}
h1{font-size:1.3rem;margin:0}
.soft{color:var(--soft)}
.bar{display:flex;flex-wrap:wrap;gap:.5rem 1rem;align-items:center;margin:.8rem 0}
.chip{background:var(--card);border:1px solid var(--line);border-radius:99px;padding:.15rem .7rem;white-space:nowrap}
.chip b{font-variant-numeric:tabular-nums}
.warn{color:var(--warn);border-color:var(--warn)}
input,select,button{font:inherit;color:inherit;background:var(--card);border:1px solid var(--line);border-radius:8px;
padding:.35rem .7rem}
button{cursor:pointer}
button.go{background:var(--mark);border-color:var(--mark);color:#fff}
details{margin:.4rem 0}
table{border-collapse:collapse;font-size:.9rem}
td,th{text-align:left;padding:.15rem .9rem .15rem 0;border-bottom:1px solid var(--line)}
.wall{display:grid;grid-template-columns:repeat(auto-fill,minmax(14rem,1fr));gap:1rem;margin-top:1rem}
.card{background:var(--card);border:1px solid var(--line);border-radius:12px;overflow:hidden;display:flex;
flex-direction:column}
.card header{display:flex;justify-content:space-between;gap:.5rem;padding:.5rem .7rem;font-weight:600;font-size:.9rem}
.card header a{text-decoration:none;overflow:hidden;text-overflow:ellipsis}
.card.story{border:2px solid var(--mark)}
.kind{color:var(--soft);font-weight:400;white-space:nowrap}
.card.story .kind{color:var(--mark)}
.frame{position:relative;aspect-ratio:4/5;background:#20242f center/cover;display:block;overflow:hidden}
.frame img,.frame video{width:100%;height:100%;object-fit:cover;display:block}
.strip{display:flex;overflow-x:auto;scroll-snap-type:x mandatory}
.strip .frame{flex:0 0 100%;scroll-snap-align:start}
.count{position:absolute;right:.5rem;top:.5rem;background:#000a;color:#fff;border-radius:99px;padding:0 .6rem;
font-size:.8rem}
.words{padding:.6rem .7rem;white-space:pre-wrap;overflow-wrap:anywhere;flex:1}
.card .words{max-height:7.5rem;overflow:auto}
.card footer{padding:.4rem .7rem;border-top:1px solid var(--line);font-size:.82rem;color:var(--soft);display:flex;
justify-content:space-between;gap:.5rem}
.full .frame{aspect-ratio:auto;max-height:80vh}
.full .frame img,.full .frame video{object-fit:contain;max-height:80vh}
fieldset{border:1px solid var(--line);border-radius:8px;margin:1rem 0;padding:.6rem 1rem}
label{display:block;margin:.2rem 0}
.empty{border:1px dashed var(--line);border-radius:12px;padding:3rem 1rem;text-align:center;color:var(--soft)}
"""
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">{refresh}
<title>{title}</title><style>{style}</style></head>
<body><main class="{width}">{body}</main></body></html>
"""
_POLICY = "default-src 'none'; img-src * data:; media-src *; style-src 'unsafe-inline'; base-uri 'none'"


def page(title: str, body: str, *, is_narrow: bool = False, refresh_s: int = 0, status: int = 200) -> web.Response:
    """A whole page around a body whose texts were escaped.

    Args:
        title: plain text.
        body: HTML.
        is_narrow: one column of text, not a wall.
        refresh_s: seconds after which the browser asks again; 0 for never.
        status: HTTP status.
    """
    text = _PAGE.format(
        title=escape(title),
        style=_STYLE,
        body=body,
        width="narrow" if is_narrow else "",
        refresh=f'<meta http-equiv="refresh" content="{refresh_s}">' if refresh_s else "",
    )
    return web.Response(
        # Captions may hold half of a character, which no encoding has.
        body=text.encode(errors="replace"),
        status=status,
        content_type="text/html",
        charset="utf-8",
        headers={"Content-Security-Policy": _POLICY, "Referrer-Policy": "no-referrer"},
    )
