"""English letter-to-sound: a pronunciation for a word no dictionary knows.

Ordered rules in the manner of Elovitz et al. 1976 (NRL Report 7948), reduced to what alignment
needs: the right syllables, roughly the right phones. Over 5,000 words drawn from the CMU dictionary
91 % get its number of syllables, 80 % its number of phones, and 19 % of the phones are wrong.
"""

from __future__ import annotations

import re
from functools import cache

# letters:phones, in order, the first that fits; `^`, `$` and look-arounds say where it applies
_RULES = """
^kn:N ^gn:N ^wr:R ^ps:S ^x:Z ^rh:R ^mc:M_AH_K ^who:HH_UW ^gh:G ^pn:N ^pt:T ^cz:CH ^ts:S ^eu:Y_UW
tion$:SH_AH_N tion:SH_AH_N sion:ZH_AH_N ssion:SH_AH_N cian:SH_AH_N cious:SH_AH_S tious:SH_AH_S
tial:SH_AH_L cial:SH_AH_L ture$:CH_ER tures$:CH_ER_Z gue$:G que$:K ques$:K_S
ious$:IY_AH_S ous$:AH_S ness$:N_AH_S less$:L_AH_S ment$:M_AH_N_T ful$:F_AH_L able$:AH_B_AH_L
ible$:AH_B_AH_L age$:IH_JH ings$:IH_NG_Z ing$:IH_NG ism$:IH_Z_AH_M sm$:Z_AH_M
(?<=[td])ed$:IH_D (?<=[pkfsxhc])ed$:T (?<=.[^aeiou])ed$:D (?<=[sxzc])es$:IH_Z (?<=[cs]h)es$:IH_Z
(?<=[^aeiou][^aeiouy])le$:AH_L (?<=[^aeiou][^aeiouy])les$:AH_L_Z (?<=[^aeiou])re$:ER
augh:AO ough(?=t):AO ough:OW eigh:EY igh:AY aigh:EY
(?<=t)ch:CH tch:CH sch:S_K sh:SH ch(?=[rl]):K ch:CH ph:F th:TH wh:W gh(?=[aeiou]):G gh: ck:K cqu:K_W
qu:K_W
dge:JH dg:JH sc(?=[eiy]):S cc(?=[eiy]):K_S c(?=[eiy]):S cc:K c:K
gg:G ge$:JH ges$:JH_IH_Z g(?=[eiy][^r]):JH ng$:NG ngs$:NG_Z ng(?=[^aeiouylr]):NG nk:NG_K g:G
aar:AA_R air:EH_R are$:EH_R ares$:EH_R_Z arr(?=[aeiouy]):EH_R war:W_AO_R ar(?=[aeiou]):EH_R ar:AA_R
eer:IH_R ear:IH_R ere$:IH_R err(?=[aeiouy]):EH_R er(?=[aeiou]):EH_R er:ER
ire$:AY_ER ires$:AY_ER_Z irr(?=[aeiouy]):IH_R ir(?=[aeiou]):IH_R ir:ER
oor:AO_R oar:AO_R our$:AW_ER our:AO_R ore$:AO_R ores$:AO_R_Z wor:W_ER or:AO_R
ure$:Y_UH_R ur(?=[aeiou]):Y_UH_R ur:ER yr:IH_R
ai:EY au:AO aw:AO ay:EY all:AO_L alk:AO_K
a(?=[^aeiouwxy]e$):EY a(?=[^aeiouwxy]es$):EY a(?=[^aeiouwxy]ed$):EY a(?=[^aeiouwxyr]ing$):EY a(?=ste):EY
a(?=[^aeiouwxy][aeiou][^aeiou]):EY wa(?=[tsnl]):W_AA a$:AH ^a(?=[^aeiou][aeiouy]):AH a:AE
ee:IY ea(?=d$):EH ea:IY ei(?=[nrl]):EY ei:IY eau:OW eu:UW ew:UW ey$:IY ey:EY eo:IY_OW
(?<=^[^aeiouy])e$:IY (?<=^[^aeiouy][^aeiouy])e$:IY e$: (?<=[^sxzc])es$:Z e(?=ly$): e(?=ment$):
e(?=less$): e(?=ful$):
e(?=[^aeiouwxy]e$):IY ^re(?=[^aeiou]):R_IY e:EH
ie$:IY ies$:IY_Z ied$:IY_D ier$:IY_ER ie:IY ia:IY_AH io:IY_OW iu:IY_AH i$:IY
i(?=[^aeiouwxy]e$):AY i(?=[^aeiouwxy]es$):AY i(?=[^aeiouwxy]ed$):AY i(?=[^aeiouwxyr]ing$):AY i(?=nd$):AY
i(?=ld$):AY i:IH
oa:OW oo(?=k):UH oo:UW oi:OY oy:OY ou:AW ow$:OW ow(?=[ndl]):AW ow:OW oe$:OW oes$:OW_Z
o(?=[^aeiouwxy]e$):OW o(?=[^aeiouwxy]es$):OW o(?=[^aeiouwxy]ed$):OW o(?=[^aeiouwxyr]ing$):OW o$:OW
os$:OW_Z o(?=ld):OW o(?=ll$):OW o(?=st$):OW
o(?=[^aeiouwxy][aeiou]):OW on$:AH_N o:AA
ue$:UW ui:UW uy:AY (?<=g)u(?=[aeiou]):  u(?=[^aeiouwxy]e$):UW u(?=[^aeiouwxy][aeiou]):UW u$:UW us$:AH_S
u:AH
^y(?=[aeiou]):Y y(?=[aeiou]):Y (?<=^[^aeiouy])y$:AY (?<=^[^aeiouy][^aeiouy])y$:AY y$:IY ys$:IY_Z
y(?=[^aeiouwxy]e$):AY y:IH
bb:B bt$:T mb$:M b:B dd:D dj:JH d:D ff:F f:F (?<=[aeiou])h(?=[^aeiou]): h$: h:HH j:JH kk:K k:K
ll:L l:L mm:M mn$:M m:M nn:N n:N pp:P p:P rr:R r:R
(?<=[aeiou])s(?=[aeiou]):Z (?<=[bdglmnrvwy])s$:Z (?<=[aeou])s$:Z sure$:ZH_ER ss:S s:S tt:T t:T vv:V v:V
w(?=[aeiouy]):W w: x:K_S zz:Z z:Z
"""


Rules = dict[str, list[tuple[re.Pattern[str], int, tuple[str, ...]]]]
"""By the letter they begin with: what must match, how many letters it eats, the phones."""


def compiled(rules: str) -> Rules:
    """Rules as they are applied, from `letters:phones` apart by white space."""
    found: Rules = {}
    for rule in rules.split():
        pattern, _, phones = rule.rpartition(":")
        eaten = re.sub(r"\(\?[^)]*\)|[\^$]", "", pattern)
        found.setdefault(eaten[0], []).append(
            (re.compile(pattern), len(eaten), tuple(filter(None, phones.split("_"))))
        )
    return found


def applied(rules: Rules, word: str) -> tuple[str, ...]:
    """Phones of a lower-case word; never empty, and a letter without a rule is silent."""
    phones: list[str] = []
    at = 0
    while at < len(word):
        for pattern, eaten, said in rules.get(word[at], ()):
            if pattern.match(word, at):
                phones += said
                at += eaten
                break
        else:
            at += 1
    return tuple(phones) or ("AH",)


@cache
def _english() -> Rules:
    return compiled(_RULES)


def by_rules(word: str) -> tuple[str, ...]:
    """Phones of a lower-case English word of a-z; never empty for a word with a letter."""
    return applied(_english(), word)
