import { type Config, defineConfig } from 'lexidex'

declare module 'lexidex' {
  interface LexiconPaths {
    'test.lexidex.event': {
      queryable: 'mode' | 'startsAt' | 'venue.name'
      range: 'startsAt'
      searchable: 'name' | 'description'
      field: 'mode' | 'startsAt' | 'createdAt' | 'host'
    }
    'test.lexidex.rsvp': {
      queryable: 'status' | 'subject.uri'
      range: never
      searchable: never
      field: 'status' | 'subject.uri'
    }
  }
}

defineConfig({
  namespace: 'com.example',
  collections: {
    event: {
      collection: 'test.lexidex.event',
      queryable: {
        mode: { filters: ['equal', 'not', 'exists'] },
        startsAt: { type: 'range', filters: ['equal'] },
        'venue.name': { filters: ['not'], index: false },
      },
      searchable: ['name', 'description'],
      timeField: 'startsAt',
      subjectField: 'host',
      recordFilter: (record) => record.mode !== 'hidden',
      relations: {
        rsvps: {
          collection: 'rsvp',
          field: 'subject.uri',
          groupBy: 'status',
          groups: { going: 'test.lexidex.rsvp#going' },
          countDistinct: 'did',
        },
        notes: { collection: 'note', groupBy: 'any.path' },
      },
    },
    rsvp: {
      collection: 'test.lexidex.rsvp',
      queryable: { status: {} },
      references: { event: { collection: 'event', field: 'subject.uri' } },
    },
    note: {
      collection: 'test.unknown.note',
      queryable: { anything: {}, 'any.path': { type: 'range' } },
      searchable: ['body'],
      timeField: false,
    },
  },
})

defineConfig({
  namespace: 'com.example',
  collections: {
    event: {
      collection: 'test.lexidex.event',
      queryable: {
        // @ts-expect-error not rangeable
        mode: { type: 'range' },
        // @ts-expect-error unknown option
        startsAt: { type: 'prefix' },
        // @ts-expect-error no such filter
        'venue.name': { filters: ['like'] },
      },
      // @ts-expect-error no such path
      searchable: ['name', 'titel'],
      // @ts-expect-error no such path
      timeField: 'created',
      // @ts-expect-error no such path
      subjectField: 'subject',
      relations: {
        // @ts-expect-error a path of the parent, not of the child
        rsvps: { collection: 'rsvp', groupBy: 'mode' },
        // @ts-expect-error no such path
        again: { collection: 'rsvp', field: 'subject' },
        // @ts-expect-error no such path
        people: { collection: 'rsvp', countDistinct: 'person' },
        // @ts-expect-error no such collection
        rvsps: { collection: 'rvsp' },
      },
    },
    rsvp: {
      collection: 'test.lexidex.rsvp',
      // @ts-expect-error no such path
      references: { event: { collection: 'event', field: 'subjekt.uri' } },
    },
  },
})

defineConfig({
  namespace: 'com.example',
  collections: {
    event: {
      collection: 'test.lexidex.event',
      // @ts-expect-error no such path
      queryable: { startAt: {} },
    },
  },
})

defineConfig({
  namespace: 'com.example',
  collections: {
    event: {
      collection: 'test.lexidex.event',
      // @ts-expect-error no such key
      queriable: {},
    },
  },
})

// @ts-expect-error the namespace is missing
defineConfig({ collections: {} })

// A config that is typed by name, as in projects that come from elsewhere, takes any path.
export const config: Config = {
  namespace: 'com.example',
  collections: {
    event: {
      collection: 'com.example.event',
      queryable: { anything: { type: 'range' } },
      relations: { rsvps: { collection: 'rsvp', groupBy: 'status' } },
    },
  },
}
