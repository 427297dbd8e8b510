"""The words beside a number that say what it is, in en, es, fr, ca, eu, gl, oc, de, it and pt (and nl for its national id).

A law has thousands of numbers that would be valid telephone numbers; it is the word before (or, in brackets, behind) that tells.
"""

from __future__ import annotations

import functools
import re

import numpy as np
from numpy.typing import NDArray

REACH = 30  # characters between the word and the number
LOOK_BEHIND = 64  # characters: the longest phrase and REACH
LOOK_AHEAD = 24
DIGITS_BETWEEN = 2  # at most: "Tel. 1: ...", but not the number before this one

# Searched in small letters, not with IGNORECASE: literals are then told apart by their first letter, ten times as fast.
PHONE = re.compile(
    r"(?<!\w)(?:"
    r"t[eéè]l(?:\.|s\.|f\.|:|(?=\s*[+(\d]))|tlf\.?|tfno\.?|tfn\.?|ph\.|mob\.|cell?\.|"
    r"(?:tele|cell ?|i)?phones?(?: number)?|phone no\.?|mobile(?: number)?|call (?:me|us)|text me|ring (?:me|us)|whats ?app|sms|signal|telegram|fax|"
    r"tel[eéè]fonos?|tel[eéè]fonoa\w*|tel[eèé]fons?|tel[eé]fones?|telef[oò]ns?|telefoni?|cellulari?|m[oó]vil|m[oò]bil|m[oó]vel|telem[oó]vel|celular|"
    r"ll[aá]m[ae](?:me|nos|dme|r)?(?: al?)?|llama al|truqueu|truqui|truca'?m|truca(?:r|-me)?(?: al)?|trucar|"
    r"chama(?:r|de)?(?: ao)?|ch[aá]m[ae]me|ligue?(?: para| ao)?|ligar|telef[oó]name|"
    r"t[eé]l[eé]phon(?:e|er|ez)|portable|appel(?:er|ez|le)(?:[- ](?:moi|nous))?|joindre au|sonatz|sonar al|telefonatz|"
    r"telefono\w*|mugikor\w*|deitu|dei(?:tu)?(?:idazu|tzeko)|zenbaki honetara|faxa|"
    r"telefon(?:nummer|isch)?|handy(?:nummer)?|mobil(?:nummer|telefon)?|mobilfunk|durchwahl|rufnummer|rufen sie|ruf mich|anruf\w*|"
    r"chiam(?:a(?:mi|re|te)?|i)(?: al)?|recapito"
    r")(?!\w)",
)
# Possessive, so that a million blanks are read once.
PHONE_BEHIND = re.compile(
    rf"[ \u00a0]{{0,{LOOK_AHEAD}}}+(?:[(\[,/–-][ \u00a0]{{0,{LOOK_AHEAD}}}+)?(?:tel|mobile|phone|fax|whatsapp|m[oóò]vil|m[oò]bil|m[oó]vel|portable|handy|mobil|mugikorra|"
    r"tel[eéè]fono|tel[eèé]fon|t[eé]l[eé]phone|cellulare|telem[oó]vel|fixe?)(?!\w)",
    re.IGNORECASE,
)
ADDRESS = re.compile(
    r"(?<!\w)(?:ip(?:v[46])?s?|ip[- ](?:address|adresse|adreça|helbidea|cím)\w*|(?:direcci[oó]n|adresse|adre[çc]a|endere[zç]o|indirizzo|helbide\w*|adreiça|dirección|address) ip|"
    r"hosts?|localhost|servers?|serveurs?|servidor(?:es|s)?|servidors|servitor|zerbitzari\w*|routers?|encaminador|bideratzaile\w*|"
    r"ping|ssh|dns|gateway|subnet|proxy|vpn|firewall|netmask|logged|login|addr|inet6?|whois|traceroute)(?!\w)",
)
NATIONAL_ID = re.compile(
    r"(?<!\w)(?:dni|d\.n\.i\.|nif|n\.i\.f\.|nie|n\.i\.e\.|nuss|n\.?u\.?s\.?s\.?|nss|naf|nan|ena|nrt|n\.r\.t\.|nir|niss|insz|bsn|pps|ppsn|pps(?: |-)?no\.?|cc|"
    r"c\.?f\.?|n[uú]mero de identificaci[oó]n fiscal|documento nacional de identidad|document nacional d.identitat|nortasun agiri\w*|identifikazio zenbaki\w*|"
    r"(?:n[uúù]m(?:e|é|è)ro|n[uú]mero|n[uú]mer|n[°º])(?: \w+){0,3} (?:s[eé]curit[eé] sociale|seguridad social|seguretat social|seguridade social|seguran[çc]a social)|"
    r"s[eé]curit[eé] sociale|seguridad social|seguretat social|seguridade social|seguran[çc]a social|seguretat sociala|gizarte segurantza\w*|num[eé]ro insee|"
    r"contribuinte|cart[aã]o de cidad[aã]o|bilhete de identidade|carte d.identit[eé]|carta d.identidat|"
    r"steuer[- ]?id(?:nr)?\.?|steueridentifikationsnummer|steuerliche identifikationsnummer|steuernummer|idnr\.?|identifikationsnummer|"
    r"codice fiscale|cod\. fisc\.|burgerservicenummer|sofinummer|rijksregisternummer|registre national|num[eé]ro national|nationalregisternummer|nationalnummer|"
    r"matricule(?: nationale?)?|sozialversicherungsnummer|versicherungsnummer|sv-?n(?:umme)?r\.?|svnr\.?|"
    r"personal public service|tax (?:id|number)|national (?:id|insurance)(?: number)?|identity (?:card|number)"
    r")(?!\w)",
)
# What a dotted number is when it is no address: "article 1.1.3.2", "version 10.2.131.200".
SECTION = re.compile(
    r"(?:§+|(?<!\w)(?:art(?:\.|icles?|[ií]cul\w*|[ií]culo\w*|ikel\w*|igo\w*|icolo|icoli|ikulu\w*)|sections?|secci[oó]n\w*|secció\w*|abschnitt\w*|nummer|nr\.?|n[°ºo]\.?|no\.|"
    r"annex\w*|anex\w*|annexe|anhang|anlage|chapter|cap[ií]tulo|cap[ií]tol|kapitel|punkt|points?|punto|punt|ziffer|apartado|apartat|"
    r"paragraph\w*|table|tableau|tabla|taula|tabelle|versions?|versi[oó]n?|release|v\.?|positions?|rubriques?|code|cn|nc|taric))[ \u00a0]*[.:(]?[ \u00a0]*$",
    re.IGNORECASE,
)

# How the words of PHONE, NATIONAL_ID and ADDRESS begin, for the compiled look: at most three letters, "~" for any that is not ASCII.
BEGINNINGS = (
    "tel te~ t~ tlf tfn ph pho mob mov m~ cel iph cal tex rin wha sms sig fax ll~ lla tru ch~ cha lig por app joi son mug dei zen han dur ruf anr chi rec",
    "dni d n nif nie nu nus nss naf nan ena nrt nir nis ins bsn pps cc c cf num n~ doc nor ide s~ sec seg giz con car bil ste idn cod bur sof rij "
    "reg nat mat soz ver sv svn per tax",
    "ip ips ipv dir adr end ind hel add hos loc ser zer rou enc bid pin ssh dns gat sub pro vpn fir net log ine who tra",
)  # fmt: skip
PLACES = 28  # of a letter: none, a to z, not ASCII


@functools.cache
def beginnings() -> NDArray[np.uint8]:
    """By the first three letters of a word: bit 0, 1 and 2 where it may be one of PHONE, NATIONAL_ID and ADDRESS."""
    bits = np.zeros(PLACES**3, np.uint8)
    for bit, words in enumerate(BEGINNINGS):
        for word in words.split():
            one, two, three = (27 if sign == "~" else ord(sign) & 31 for sign in word.ljust(3, "@"))
            bits[(one * PLACES + two) * PLACES + three] |= 1 << bit
    return bits


@functools.lru_cache(maxsize=8192)  # lists repeat the words between their placeholders
def stands_before(words: re.Pattern[str], left: str) -> bool:
    """Whether one of the words (in small letters) ends near the end of `left`, with hardly a digit behind it."""
    end = -1
    for match in words.finditer(left.lower()):
        end = match.end()
    if end < 0 or len(left) - end > REACH:
        return False
    return sum(character.isdigit() for character in left[end:]) <= DIGITS_BETWEEN
