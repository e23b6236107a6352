/**
 * Signs that came after the Unicode that SQLite's tokenizer knows: it would take them for letters, and "🥂" would be a part
 * of the word before it. Currencies and emoji, and the selectors of their looks, as of Unicode 17.
 */
// biome-ignore format: as many in a line as fit
const LATER_SIGNS = [
  '₺₻₼₽₾₿⃀⃁⏸︎⏹️⏺🌡🌤🌥🌦🌧🌨🌩🌪🌫🌬🌭🌮🌯🌶🍽🍾🍿🎖🎗🎙🎚🎛🎞🎟🏅🏋🏌🏍🏎🏏🏐🏑🏒🏓🏔🏕🏖🏗🏘🏙🏚🏛🏜',
  '🏝🏞🏟🏳🏴🏵🏷🏸🏹🏺🏻🏼🏽🏾🏿🐿👁📸📽📿🕉🕊🕋🕌🕍🕎🕯🕰🕳🕴🕵🕶🕷🕸🕹🕺🖇🖊🖋🖌🖍🖐🖕🖖🖤🖥🖨🖱🖲🖼🗂🗃🗄🗑',
  '🗒🗓🗜🗝🗞🗡🗣🗨🗯🗳🗺🙁🙂🙃🙄🛋🛌🛍🛎🛏🛐🛑🛒🛕🛖🛗🛘🛜🛝🛞🛟🛠🛡🛢🛣🛤🛥🛩🛫🛬🛰🛳🛴🛵🛶🛷🛸🛹🛺🛻🛼🟠🟡🟢',
  '🟣🟤🟥🟦🟧🟨🟩🟪🟫🟰🤌🤍🤎🤏🤐🤑🤒🤓🤔🤕🤖🤗🤘🤙🤚🤛🤜🤝🤞🤟🤠🤡🤢🤣🤤🤥🤦🤧🤨🤩🤪🤫🤬🤭🤮🤯🤰🤱🤲🤳🤴🤵🤶🤷',
  '🤸🤹🤺🤼🤽🤾🤿🥀🥁🥂🥃🥄🥅🥇🥈🥉🥊🥋🥌🥍🥎🥏🥐🥑🥒🥓🥔🥕🥖🥗🥘🥙🥚🥛🥜🥝🥞🥟🥠🥡🥢🥣🥤🥥🥦🥧🥨🥩🥪🥫🥬🥭🥮🥯',
  '🥰🥱🥲🥳🥴🥵🥶🥷🥸🥹🥺🥻🥼🥽🥾🥿🦀🦁🦂🦃🦄🦅🦆🦇🦈🦉🦊🦋🦌🦍🦎🦏🦐🦑🦒🦓🦔🦕🦖🦗🦘🦙🦚🦛🦜🦝🦞🦟🦠🦡🦢🦣🦤🦥',
  '🦦🦧🦨🦩🦪🦫🦬🦭🦮🦯🦰🦱🦲🦳🦴🦵🦶🦷🦸🦹🦺🦻🦼🦽🦾🦿🧀🧁🧂🧃🧄🧅🧆🧇🧈🧉🧊🧋🧌🧍🧎🧏🧐🧑🧒🧓🧔🧕🧖🧗🧘🧙🧚🧛',
  '🧜🧝🧞🧟🧠🧡🧢🧣🧤🧥🧦🧧🧨🧩🧪🧫🧬🧭🧮🧯🧰🧱🧲🧳🧴🧵🧶🧷🧸🧹🧺🧻🧼🧽🧾🧿🩰🩱🩲🩳🩴🩵🩶🩷🩸🩹🩺🩻🩼🪀🪁🪂🪃🪄',
  '🪅🪆🪇🪈🪉🪊🪎🪏🪐🪑🪒🪓🪔🪕🪖🪗🪘🪙🪚🪛🪜🪝🪞🪟🪠🪡🪢🪣🪤🪥🪦🪧🪨🪩🪪🪫🪬🪭🪮🪯🪰🪱🪲🪳🪴🪵🪶🪷🪸🪹🪺🪻🪼🪽',
  '🪾🪿🫀🫁🫂🫃🫄🫅🫆🫈🫍🫎🫏🫐🫑🫒🫓🫔🫕🫖🫗🫘🫙🫚🫛🫜🫟🫠🫡🫢🫣🫤🫥🫦🫧🫨🫩🫪🫯🫰🫱🫲🫳🫴🫵🫶🫷🫸',
]

/**
 * How FTS5 finds words: runs of letters, numbers and marks. Without marks, the words of most scripts of India would end at
 * every vowel. Accents do not count on any letter that has one or more of them.
 */
export const TOKENIZER = [
  'unicode61 remove_diacritics 2',
  "categories 'L* N* Mn Mc Co'",
  // Lines end within the quotes, where their ends are signs like others: FTS5 takes them nowhere else.
  `separators '\n${LATER_SIGNS.join('\n')}\n'`,
].join(' ')
