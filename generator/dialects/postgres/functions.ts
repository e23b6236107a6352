import type { SchemaPlan } from '../../plan/types.ts'
import type { Statement } from '../dialect.ts'
import { SIGNS } from './signs.ts'

/**
 * Names the advisory locks on accounts, so that they are nobody else's: "lxdx". The runtime takes the same ones, of as
 * many accounts as a batch has, before it writes.
 */
const LOCKS = 0x6c786478

/** Locks that all accounts share: enough that two writers seldom meet, few enough to hold all of them at once. */
const STRIPES = 256

/** Characters of a text that are searched: a tsvector holds a megabyte, and no four of its bytes come from less than one. */
const SEARCHED = 200_000

/** Marks that are no part of a word: those that SQLite passes over as well. */
const ACCENTS = '\\u0300-\\u0304\\u0306-\\u030c\\u030f\\u0311\\u031b\\u0323-\\u0328\\u032d\\u032e\\u0330\\u0331'

/** The longest word of a tsvector. Of a longer one the beginning is kept: so many ASCII characters, or a quarter of any. */
const WORD_BYTES = 2046

/** Functions that more than one table uses. */
export function sharedFunctions(plan: SchemaPlan): Statement[] {
  return [lock, ...(plan.tables.some(({ search }) => search !== null) ? search : [])]
}

const lock: Statement = {
  comment: `Whoever changes a record or what counts there holds the account of each, until the end of the transaction.
-- Always in the same order, so that no two wait for each other. Takes DIDs and at-uris`,
  sql: `CREATE FUNCTION lexidex_lock(pointers text[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(${LOCKS}, stripe) FROM (
    SELECT DISTINCT hashtext(
      CASE WHEN starts_with(pointer, 'at://') THEN split_part(pointer, '/', 3) ELSE pointer END
    ) & ${STRIPES - 1} AS stripe
    FROM unnest(pointers) AS pointer WHERE pointer IS NOT NULL
    ORDER BY stripe
  ) AS account;
END $$`,
}

const search: readonly Statement[] = [
  {
    comment: `Letters as Unicode has them, whatever the locale of the database`,
    sql: `DO $$
BEGIN
  IF current_setting('server_version_num')::integer >= 170000 THEN
    EXECUTE 'CREATE COLLATION lexidex_unicode (provider = builtin, locale = ''C.UTF-8'')';
  ELSE
    EXECUTE 'CREATE COLLATION lexidex_unicode (provider = icu, locale = ''und'')';
  END IF;
END $$`,
  },
  {
    comment: `Words are compared without case, and without accents on the letters a to z, or beside any other letter.
-- What has two forms of lower case has one here`,
    sql: `CREATE FUNCTION lexidex_fold(value text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN octet_length(value) = length(value) THEN lower(value COLLATE lexidex_unicode)
  ELSE translate(
    lower(regexp_replace(
      normalize(regexp_replace(
        normalize(value, NFD),
        '([A-Za-z])[${ACCENTS}]+', '\\1', 'g'
      ), NFC),
      '[${ACCENTS}]+', '', 'g'
    ) COLLATE lexidex_unicode),
    'ςſµϐϑϕϖϰϱϵ', 'σsμβθφπκρε'
  ) END
$$`,
  },
  {
    comment: `Not by a parser of text search: those take numbers, hosts and paths for words of their own. Between words stands
-- what is no letter, number or mark, spelled out, so that no other version or locale of Postgres has other words`,
    sql: `CREATE FUNCTION lexidex_words(value text) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT coalesce(string_agg('''' || CASE
    WHEN octet_length(word) <= ${WORD_BYTES} THEN word
    WHEN octet_length(left(word, ${WORD_BYTES})) = ${WORD_BYTES} THEN left(word, ${WORD_BYTES})
    ELSE left(word, ${Math.floor(WORD_BYTES / 4)})
  END || ''':' || place, ' '), '')::tsvector
  FROM regexp_split_to_table(lexidex_fold(left(value, ${SEARCHED})), '[
${SIGNS}
]+') WITH ORDINALITY AS split (word, place)
  WHERE word <> ''
$$`,
  },
  {
    comment: 'A record without what JSON can say and a text cannot: NUL, and halves of surrogate pairs',
    sql: `CREATE FUNCTION lexidex_json(record text) RETURNS json LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN record !~* '\\\\u(0000|d[89a-f])' THEN record
  ELSE regexp_replace(
    regexp_replace(
      regexp_replace(replace(record, '\\\\', '\\u005c'), '\\\\u0000', ' ', 'g'),
      '\\\\ud[89ab][0-9a-f]{2}(?!\\\\ud[c-f])', '\\ufffd', 'gi'
    ),
    '(?<!\\\\ud[89ab][0-9a-f]{2})\\\\ud[c-f][0-9a-f]{2}', '\\ufffd', 'gi'
  ) END::json
$$`,
  },
]
