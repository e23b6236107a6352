import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { didYouMean, formatIssues, GenerateError, Issues } from '../../../generator/input/issues.ts'

function example(): Issues {
  const issues = new Issues()
  issues.warn('not-supported', 'feeds', '`feeds` has no effect.')
  issues.error('unknown-path', 'collections.event.queryable.startAt', 'There is no `startAt`.', {
    hint: 'Did you mean `startsAt`?',
  })
  issues.error('wrong-kind', 'collections.Event', 'First\nsecond line.')
  issues.error('invalid-name', 'collections.Event', 'Bad name.')
  return issues
}

describe('Issues', () => {
  it('lists by path, then code', () => {
    expect(
      example()
        .list()
        .map(({ path, code }) => `${path} ${code}`),
    ).toEqual([
      'collections.Event invalid-name',
      'collections.Event wrong-kind',
      'collections.event.queryable.startAt unknown-path',
      'feeds not-supported',
    ])
  })

  it('tells errors from warnings', () => {
    const issues = new Issues()
    issues.warn('a-code', '', '')
    expect(issues.hasErrors).toBe(false)
    issues.add(...example().list())
    expect(issues.hasErrors).toBe(true)
  })
})

describe('formatIssues', () => {
  it('groups by path and ends with totals', () => {
    expect(formatIssues(example().list())).toBe(`collections.Event
  error Bad name. (invalid-name)
  error First
    second line. (wrong-kind)

collections.event.queryable.startAt
  error There is no \`startAt\`. (unknown-path)
    hint: Did you mean \`startsAt\`?

feeds
  warning \`feeds\` has no effect. (not-supported)

3 errors, 1 warning`)
  })

  it('is the same whatever the order of the issues', () => {
    const issues = example().list()
    fc.assert(
      fc.property(fc.shuffledSubarray(issues, { minLength: issues.length }), (shuffled) => {
        expect(formatIssues(shuffled)).toBe(formatIssues(issues))
      }),
    )
  })

  it('colours only when asked', () => {
    expect(formatIssues(example().list())).not.toContain('\u001b')
    expect(formatIssues(example().list(), { color: true })).toContain('\u001b[31merror')
  })

  it('says nothing of nothing', () => {
    expect(formatIssues([])).toBe('')
  })
})

describe('GenerateError', () => {
  it('carries the issues and states them', () => {
    const error = new GenerateError(example().list().reverse())
    expect(error.issues).toEqual(example().list())
    expect(error.message).toBe(formatIssues(example().list()))
  })
})

describe('didYouMean', () => {
  it.each([
    ['startAt', ['createdAt', 'startsAt', 'endsAt'], 'startsAt'],
    ['serachable', ['searchable', 'queryable'], 'searchable'],
    ['rvsp', ['rsvp', 'event'], 'rsvp'],
    ['MODE', ['mode'], 'mode'],
    ['b', ['a', 'c'], 'a'],
    ['entirely', ['different', 'words'], undefined],
    [
      'community.lexicon.calendar.evnt',
      ['community.lexicon.calendar.rsvp', 'community.lexicon.calendar.event'],
      'community.lexicon.calendar.event',
    ],
    ['x', [], undefined],
  ])('%s of %j is %s', (word, candidates, expected) => {
    expect(didYouMean(word, candidates)).toBe(expected)
  })

  it('finds a word with one letter wrong', () => {
    const word = fc.stringMatching(/^[a-z]{4,20}$/)
    fc.assert(
      fc.property(word, fc.nat(), fc.constantFrom(...'xyz'), (candidate, at, letter) => {
        const i = at % candidate.length
        expect(didYouMean(candidate.slice(0, i) + letter + candidate.slice(i + 1), [candidate])).toBe(candidate)
      }),
    )
  })
})
