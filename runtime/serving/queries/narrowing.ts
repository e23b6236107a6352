import {
  ExpressionWrapper,
  type Kysely,
  OperationNodeTransformer,
  ReferenceNode,
  type SelectQueryNode,
  type SqlBool,
  TableNode,
} from 'kysely'
import type { Narrow } from '../../core/custom-query.ts'
import type { Query } from '../define.ts'

/** Adds to a select of a collection's table what a function of the config wants of its rows. */
export type Narrowing = (query: Query<any, any>) => Query<any, any>

/**
 * What a function of the config adds, to be used in any select of the table. Mere conditions become conditions of that
 * select, so that its indexes and its order serve them; with joins and the like they become a subselect of ids, by which
 * no row comes twice.
 */
export function narrowing(db: Kysely<any>, table: string, narrow: Narrow): Narrowing {
  const narrowed: Query<any, any> = narrow(db.selectFrom(table))
  const node = narrowed.toOperationNode() as SelectQueryNode
  if (!isPlain(node)) return (query) => query.where(`${table}.id`, 'in', narrowed.clearSelect().select(`${table}.id`))
  if (node.where === undefined) return (query) => query
  const condition = new Qualifier(table).transformNode(node.where.where)
  return (query) => query.where(new ExpressionWrapper<any, any, SqlBool>(condition))
}

const PLAIN: ReadonlySet<string> = new Set(['kind', 'from', 'where'])

function isPlain(node: SelectQueryNode): boolean {
  return Object.entries(node).every(([key, value]) => value === undefined || PLAIN.has(key))
}

/** Puts the table in front of columns without one, which may be those of several tables elsewhere. */
class Qualifier extends OperationNodeTransformer {
  readonly #table: string

  constructor(table: string) {
    super()
    this.#table = table
  }

  protected override transformReference(node: ReferenceNode): ReferenceNode {
    if (node.table !== undefined || node.column.kind !== 'ColumnNode') return node
    return ReferenceNode.create(node.column, TableNode.create(this.#table))
  }

  // Within a subselect they are its own.
  protected override transformSelectQuery(node: SelectQueryNode): SelectQueryNode {
    return node
  }
}
