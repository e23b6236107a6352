import { idIndexName, partitionName } from '../../model/names.ts'
import type { SchemaPlan, TablePlan } from '../../plan/types.ts'
import type { Statement } from '../dialect.ts'
import { literal, name } from './quote.ts'

/** What follows the columns of a table. */
export function partitionedBy({ partitions }: TablePlan): string {
  return partitions === undefined ? '' : ' PARTITION BY HASH (did)'
}

/** The parts of a table, and the index that finds a row among them by its number. */
export function createPartitions({ name: table, partitions }: TablePlan): Statement[] {
  if (partitions === undefined) return []
  const beginning = partitionName(table, '')
  return [
    {
      comment: `Each has the records of its share of the accounts: ${beginning}0 to ${beginning}${partitions - 1}`,
      sql: `DO $$
BEGIN
  FOR part IN 0..${partitions - 1} LOOP
    EXECUTE format(
      'CREATE TABLE %I PARTITION OF %I FOR VALUES WITH (MODULUS ${partitions}, REMAINDER %s)',
      ${literal(beginning)} || part, ${literal(table)}, part
    );
  END LOOP;
END $$`,
    },
    {
      comment: 'For searches, and lists of values',
      sql: `CREATE INDEX ${name(idIndexName(table))} ON ${name(table)} (id)`,
    },
  ]
}

/** What leads to rows of a table that are known already: where there are parts, to those of their authors. */
export function rowKey(plan: SchemaPlan, table: string): readonly string[] {
  return isPartitioned(plan, table) ? ['uri', 'did'] : ['id']
}

/** Conditions that lead to the record that an at-uri points at: where there are parts, to its author's. */
export function isAt(plan: SchemaPlan, table: string, alias: string, pointer: string): string[] {
  const own = `${alias}.uri = ${pointer}`
  return isPartitioned(plan, table) ? [own, `${alias}.did = split_part(${pointer}, '/', 3)`] : [own]
}

function isPartitioned({ tables }: SchemaPlan, table: string): boolean {
  return tables.find(({ name }) => name === table)?.partitions !== undefined
}
