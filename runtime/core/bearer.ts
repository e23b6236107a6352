/**
 * Whether a request has `Authorization: Bearer <secret>`: `missing` where it has no such header, `wrong` where it has
 * another secret. How long the comparison takes tells nothing about the secret.
 */
export async function checkBearer(
  headers: { get(name: string): string | null | undefined },
  secret: string,
): Promise<'ok' | 'missing' | 'wrong'> {
  const given = /^Bearer +(\S+) *$/i.exec(headers.get('authorization') ?? '')?.[1]
  if (given === undefined) return 'missing'
  return (await isSecret(given, secret)) ? 'ok' : 'wrong'
}

/** Whether what was given is the secret. How long that takes tells nothing about it. */
export async function isSecret(given: string, secret: string): Promise<boolean> {
  const [a, b] = await Promise.all([digest(given), digest(secret)])
  let difference = 0
  for (const [i, byte] of a.entries()) difference |= byte ^ b[i]!
  return difference === 0
}

async function digest(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))
}
