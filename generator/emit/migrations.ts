import { render } from '../print/handlebars.ts'
import { symbols } from '../print/imports.ts'
import type { Artifact } from './artifact.ts'
import { quote } from './code.ts'

/** `migrations/<database>/*.sql`, and the same as data. */
export const migrations: Artifact = {
  emit: ({ plan, dialects }) => {
    const byDialect = dialects.map((dialect) => ({
      name: dialect.name,
      migrations: [{ name: '0001_init', statements: dialect.createSchema(plan) }],
    }))
    return [
      ...byDialect.flatMap((dialect) =>
        dialect.migrations.map(({ name, statements }) => ({
          kind: 'sql' as const,
          path: `migrations/${dialect.name}/${name}.sql`,
          statements,
        })),
      ),
      {
        kind: 'typescript',
        path: 'migrations/index.ts',
        body: render('migrations', {
          dialects: byDialect.map(({ name, migrations }) => ({
            name,
            migrations: migrations.map((migration) => ({
              name: migration.name,
              statements: migration.statements.map(({ sql }) => template(sql)),
            })),
          })),
        }),
        imports: symbols('lexidex/runtime', [], ['Migrations']),
      },
    ]
  },
}

function template(sql: string): string {
  if (!sql.includes('\n')) return quote(sql)
  return `\`${sql.replaceAll('\\', '\\\\').replaceAll('`', '\\`').replaceAll('${', '\\${')}\``
}
