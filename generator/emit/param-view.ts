/** One parameter of a method, as every artifact needs it. */
export interface ParamView {
  readonly name: string
  readonly description: string
  /** Its schema in emitted code. */
  readonly schema: string
  /** Its type in the emitted client: the members of a union. */
  readonly clientType: readonly string[]
  /** Its schema in the method lexicon. */
  readonly lexicon: Record<string, unknown>
  /** How it narrows the list, in emitted code; null where it does not. */
  readonly filter: string | null
}
