"""How a German word may have been said, in the phones of the English model that come nearest.

Sounds English lacks stand as neighbours: `ch` as HH or SH, rounded front vowels as unrounded or back
ones, the r behind a vowel as part of it. Alignment needs to know where vowels, stops and friction are,
not which ones they are.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache

from annotators.words._english import Spoken
from annotators.words._letters import Rules, applied, compiled

_MAX_LETTERS = 48
_UNSPEAKABLE = ("+SPN+",)  # as for an English word of which nothing is known
_RULES = """
tion:T_S_Y_OW_N tsch:CH dsch:JH sch:SH ^sp:SH_P ^st:SH_T chs:K_S ^ch:K (?<=[aou])ch:HH ch:SH ck:K
aa:AA ah:AA ai:AY au:AW ay:AY ar(?![aeiouäöüy]):AA a:AA
äu:OY äh:EH är(?![aeiouäöüy]):EH_R ä:EH
eu:OY ei:AY ey:AY ee:EY eh:EY er$:ER ern$:ER_N ers$:ER_S ert$:ER_T ^er(?=[^aeiouäöüy]):EH_R
^ver:F_EH_R er(?![aeiouäöüy]):ER en$:AH_N el$:AH_L em$:AH_M es$:AH_S et$:AH_T ^ge(?=[^i]):G_AH
^be(?=[^ir]):B_AH e$:AH e:EH
ieh:IY ie:IY ih:IY ir(?![aeiouäöüy]):IH_R ig$:IH_SH i:IH
oo:OW oh:OW oi:OY or(?![aeiouäöüy]):AO_R o:AO öh:ER ö:ER
uh:UW ur(?![aeiouäöüy]):UH_R u:UH üh:IY ür(?![aeiouäöüy]):IH_R ü:IH y:IH
bb:B b$:P b(?=[st]):P b:B c(?=[eiy]):T_S c:K dd:D dt:T d$:T d:D ff:F f:F
gg:G g$:K g(?=[st]):K g:G (?<=[aeiouäöüy])h:  h:HH j:Y kk:K k:K ll:L l:L mm:M m:M ng(?=[aeiouäöüy]):NG
ng:NG nk:NG_K nn:N n:N pf:P_F ph:F pp:P p:P qu:K_V rr:R r:R ss:S
(?<![bcdfghklmnpqrstvwxz])s(?=[aeiouäöüy]):Z ^s(?=[aeiouäöüy]):Z (?<=[lmnr])s(?=[aeiouäöüy]):Z s:S
th:T tz:T_S tt:T t:T v$:F v:F w:V x:K_S zz:T_S z:T_S
é:EY è:EH ê:EH á:AA à:AA ó:OW ç:S ñ:N_Y
"""


@cache
def _rules() -> Rules:
    return compiled(_RULES)


@lru_cache(maxsize=50_000)
def spoken_german(word: str) -> Spoken:
    """The pronunciation of a word as it stands in a transcript; figures and signs are not read."""
    plain = unicodedata.normalize("NFC", word[:_MAX_LETTERS].casefold().replace("ß", "ss"))
    letters = re.sub(r"[^a-zäöüéèêáàóçñ]", "", plain)
    return Spoken((applied(_rules(), letters) if letters else _UNSPEAKABLE,), known=False)
