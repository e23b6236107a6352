/**
 * The view `V` and what the hydrate parameters among `P` add to it.
 *
 * `H` says what each parameter adds: `{ hydrateRsvps: { rsvps: RsvpView[] } }`. A parameter that is
 * absent, `undefined`, `false` or `0` adds nothing. One whose value the types do not tell (`number`,
 * `boolean`, an optional property) adds its properties as optional ones.
 *
 * @example
 * type A = Hydrated<EventView, EventHydration, { hydrateRsvps: 5 }>      // EventView & { rsvps: … }
 * type B = Hydrated<EventView, EventHydration, { hydrateRsvps: number }> // EventView & { rsvps?: … }
 * type C = Hydrated<EventView, EventHydration, {}>                       // EventView
 */
// Each `P` of a union is taken by itself. The properties are copied into a type without a name, as
// editors would otherwise show the names of these helpers in place of what is added.
export type Hydrated<V, H, P> = P extends unknown
  ? Added<H, P, 'always'> & Partial<Added<H, P, 'maybe'>> extends infer A
    ? Extended<V, A>
    : never
  : never

/**
 * Those of the parameters `P` that embed something in what `Outer` embeds, as that record's own.
 *
 * @example
 * type A = Nested<{ hydrateRsvps: 5; hydrateRsvpsEvent: true }, 'hydrateRsvps'> // { hydrateEvent: true }
 */
export type Nested<P, Outer extends string> = {
  [K in keyof P as K extends `${Outer}${infer Name}` ? (Name extends '' ? never : `hydrate${Name}`) : never]: P[K]
}

type Extended<V, A> = A extends unknown ? ([keyof A] extends [never] ? V : V & { [K in keyof A]: A[K] }) : never

/** What the parameters that are present `When` add, all together. */
// Parameter positions are contravariant: inferring from a union of functions intersects them.
type Added<H, P, When> = {
  [K in keyof H]: Presence<P, K> extends When ? (added: H[K]) => void : never
}[keyof H] extends (added: infer A) => void
  ? A
  : never

type Off = undefined | false | 0

type Presence<P, K> = K extends keyof P
  ? // An index signature promises no particular key.
    string extends keyof P
    ? 'maybe'
    : number extends P[K]
      ? 'maybe'
      : [P[K]] extends [Off]
        ? 'never'
        : [Extract<P[K], Off>] extends [never]
          ? 'always'
          : 'maybe'
  : 'never'
