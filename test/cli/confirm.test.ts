import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { confirm } from '../../generator/cli/confirm.ts'

function terminal(isTTY: boolean) {
  const stream = () => Object.assign(new PassThrough(), { isTTY })
  return { stdin: stream(), stderr: stream() }
}

test.each([
  ['y\n', true],
  [' YES \n', true],
  ['n\n', false],
  ['\n', false],
  ['yeah\n', false],
])('takes %j as %s', async (answer, expected) => {
  const io = terminal(true)
  const answered = confirm('Publish?', io)
  io.stdin.write(answer)
  expect(await answered).toBe(expected)
  expect(String(io.stderr.read())).toContain('Publish? [y/N] ')
})

test('takes the end of the input as no', async () => {
  const io = terminal(true)
  const answered = confirm('Publish?', io)
  io.stdin.end()
  expect(await answered).toBe(false)
})

test('asks nobody where there is no terminal', async () => {
  const io = terminal(false)
  expect(await confirm('Publish?', io)).toBe(false)
  expect(io.stderr.read()).toBeNull()
})
