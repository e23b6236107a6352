/** The first page: what is in the index, and how it comes along. */
import { get } from './api.ts'
import { bdi, h, refill, nsid as segments } from './dom.ts'
import { ago, counted, date, duration, fullDate, number } from './format.ts'
import { findMethod, type IndexInfo, placeOfMethod } from './index-info.ts'
import { formatPlace, queryString } from './place.ts'
import { programs } from './programs.ts'
import { onStatus, progressOf, type Run, type Status } from './status.ts'
import { streamState } from './stream-state.ts'

/** @param signal Aborted when another place is shown */
export function overviewPage(index: IndexInfo, signal: AbortSignal): HTMLElement {
  const tiles = h('ul', { class: 'tiles' })
  const rest = h('div', { class: 'stack-wide' })
  const newest = new Map<string, string>()

  const show = (status: Status) => {
    refill(
      tiles,
      status.collections.map((collection) => tile(index, status, collection, newest.get(collection.name))),
    )
    refill(
      rest,
      streamSection(status),
      backfillSection(status),
      runsSection(status),
      accountsSection(status),
      section('For programs', programs(index)),
    )
  }

  let counts = ''
  onStatus((status) => {
    show(status)
    // The newest records are other ones only where their numbers are.
    const now = JSON.stringify(status.collections.map(({ records }) => records))
    if (now === counts) return
    counts = now
    for (const { name } of status.collections) {
      freshness(index, name, signal).then((text) => {
        if (text === null) return
        newest.set(name, text)
        for (const slot of tiles.querySelectorAll<HTMLElement>(`[data-newest="${CSS.escape(name)}"]`))
          slot.textContent = text
      })
    }
  }, signal)
  return h('div', { class: 'stack-wide' }, section('Collections', tiles), rest)
}

/** How old the newest record of a collection is; null where it cannot be told. */
async function freshness(index: IndexInfo, name: string, signal: AbortSignal): Promise<string | null> {
  const method = findMethod(index, `${name}.listRecords`)
  if (method === undefined) return null
  try {
    const { records } = await get(`xrpc/${method.nsid}${queryString([['limit', '1']])}`, { signal })
    const ms = Number(records[0]?.time_us) / 1000
    return Number.isFinite(ms) && ms < 8.64e15 ? `newest ${ago(ms)}` : null
  } catch {
    // The tile goes without.
    return null
  }
}

function tile(
  index: IndexInfo,
  status: Status,
  { name, nsid, records }: Status['collections'][number],
  newest: string | undefined,
): HTMLElement {
  const list = findMethod(index, `${name}.listRecords`)
  const jobs = status.backfill?.find(({ collection }) => collection === nsid)
  const refused = (status.quarantine ?? [])
    .filter(({ collection }) => collection === nsid)
    .reduce((sum, { records }) => sum + records, 0)
  const heading = list === undefined ? name : h('a', { href: placeOfMethod(list) }, name)
  return h(
    'li',
    { class: 'tile' },
    h('h3', null, heading),
    h('p', { class: 'nsid' }, segments(nsid)),
    h('p', { class: 'figure' }, h('b', null, number(records)), records === 1 ? ' record' : ' records'),
    h('p', { class: 'quiet', 'data-newest': name }, newest ?? (records === 0 ? 'nothing yet' : ' ')),
    jobs !== undefined && isUnderWay(jobs) && progress(`History of ${name}`, jobs),
    refused > 0 &&
      h(
        'p',
        null,
        h(
          'a',
          { class: 'badge warn', href: formatPlace({ view: 'quarantine', params: [['collection', name]] }) },
          `${number(refused)} refused`,
        ),
      ),
  )
}

type Jobs = Parameters<typeof progressOf>[0]

function isUnderWay(jobs: Jobs): boolean {
  const { done, all } = progressOf(jobs)
  return done < all
}

function progress(label: string, jobs: Jobs): HTMLElement {
  const { done, all } = progressOf(jobs)
  return h(
    'div',
    { class: 'progress' },
    h('progress', { value: done, max: Math.max(1, all), 'aria-label': label }),
    h('span', { class: 'quiet' }, `${number(done)} of ${number(all)} accounts`),
  )
}

function section(
  title: string,
  ...content: (HTMLElement | false | null | undefined | (HTMLElement | false | null)[])[]
): HTMLElement {
  return h('section', { 'aria-label': title }, h('h2', null, title), content)
}

function streamSection(status: Status): HTMLElement {
  const { live, cursor } = status
  const { text, detail } = streamState(status)
  const rows: [string, string | HTMLElement][] = [['State', detail === '' ? text : `${text}: ${detail}`]]
  if (live?.host) rows.push(['Host', live.host])
  if (typeof live?.lagMs === 'number') rows.push(['Behind', duration(Math.max(0, live.lagMs))])
  if (cursor !== null) {
    const ms = cursor.time_us / 1000
    rows.push(['Read up to', h('time', { datetime: new Date(ms).toISOString(), title: fullDate(ms) }, ago(ms))])
  }
  return section('Stream', definitions(rows))
}

function definitions(rows: readonly (readonly [string, string | HTMLElement])[]): HTMLElement {
  return h(
    'dl',
    { class: 'definitions' },
    rows.map(([term, value]) => h('div', null, h('dt', null, term), h('dd', null, value))),
  )
}

function backfillSection({ backfill = [], bulkLoad, discovery = [] }: Status): HTMLElement | null {
  if (backfill.length === 0) return null
  const rows = backfill.map((jobs) =>
    h(
      'tr',
      null,
      h('th', { scope: 'row' }, segments(jobs.collection)),
      h('td', null, progress(`History of ${jobs.collection}`, jobs)),
      cell(jobs.completed),
      cell(jobs.pending),
      cell(jobs.retrying),
      cell(jobs.failed),
      h('td', { class: 'reason' }, jobs.lastError ?? ''),
    ),
  )
  const cut = discovery.filter(({ error }) => error !== null)
  return section('History', [
    bulkLoad === true &&
      h('p', { class: 'notice' }, 'Loading in bulk: counts are zero and searches find nothing of it until it ends.'),
    table(
      'History by collection',
      ['Collection', 'Progress', 'Done', 'To do', 'Again later', 'Given up', 'Last error'],
      rows,
    ),
    cut.length > 0 &&
      h(
        'ul',
        { class: 'plain' },
        cut.map(({ relay, collection, error }) =>
          h('li', null, `${relay} did not list all of ${collection}: `, bdi(error ?? '')),
        ),
      ),
  ])
}

function runsSection({ runs = [] }: Status): HTMLElement | null {
  if (runs.length === 0) return null
  return section(
    'Runs',
    table('Every run', ['Run', 'Status', 'Accounts', 'Records', 'Errors', 'Started', 'Took'], runs.map(runRow)),
  )
}

function runRow(run: Run): HTMLElement {
  const { startedAt, completedAt } = run
  return h(
    'tr',
    null,
    h('th', { scope: 'row', title: run.reason ?? undefined }, run.kind.replaceAll('_', ' ')),
    h('td', { class: 'number', title: run.errorMessage ?? undefined }, run.status.replaceAll('_', ' ')),
    h(
      'td',
      { class: 'number' },
      run.didsTotal > 0 ? `${number(run.didsProcessed)} of ${number(run.didsTotal)}` : number(run.didsProcessed),
    ),
    cell(run.records),
    cell(run.errors),
    h(
      'td',
      { class: 'number' },
      h('time', { datetime: new Date(startedAt).toISOString(), title: fullDate(startedAt) }, date(startedAt)),
    ),
    h('td', { class: 'number' }, completedAt === null ? 'goes on' : duration(completedAt - startedAt)),
  )
}

function accountsSection({ accounts, hosting = [], jobs }: Status): HTMLElement {
  const rows: [string, string][] = [['Known', counted(accounts, 'account')]]
  for (const { status, accounts: n } of hosting) if (status !== 'active') rows.push([status, counted(n, 'account')])
  if (jobs.failed > 0) rows.push(['Given up', counted(jobs.failed, 'listing')])
  return section('Accounts', definitions(rows))
}

/** Tables may be wider than a phone; whoever has only a keyboard has to be able to scroll them. */
function table(label: string, columns: readonly string[], rows: readonly HTMLElement[]): HTMLElement {
  const head = columns.map((column) => h('th', { scope: 'col' }, column))
  return h(
    'div',
    { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': label },
    h('table', null, h('thead', null, h('tr', null, head)), h('tbody', null, rows)),
  )
}

function cell(n: number): HTMLElement {
  return h('td', { class: 'number' }, number(n))
}
