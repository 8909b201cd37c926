import { generate } from "selfsigned"

type GenerateOptions = NonNullable<Parameters<typeof generate>[1]>

/** PEM texts. */
export type Certificate = { readonly cert: string; readonly key: string }

export type Authority = {
  /** The authority's own certificate, for `sslrootcert` and `ssl_ca_file`. */
  readonly cert: string
  /** A certificate for servers of these DNS names and addresses. */
  readonly forServer: (...names: ReadonlyArray<string>) => Promise<Certificate>
  /** The same, but its time is over. */
  readonly expired: (...names: ReadonlyArray<string>) => Promise<Certificate>
  /** A certificate for a client that logs in as that role. */
  readonly forClient: (role: string) => Promise<Certificate>
}

const keys = { keyType: "ec", algorithm: "sha256" } as const satisfies GenerateOptions
const address = /^[\d.]+$/

const issue = async (commonName: string, options: GenerateOptions): Promise<Certificate> => {
  const made = await generate([{ name: "commonName", value: commonName }], { ...keys, ...options })
  return { cert: made.cert, key: made.private }
}

/** A private certificate authority, made on the spot. */
export const makeAuthority = async (name: string): Promise<Authority> => {
  const { cert, key } = await issue(name, {
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", keyCertSign: true, critical: true }
    ]
  })
  const issuer = { ca: { cert, key } }
  const forServer = (names: ReadonlyArray<string>, validity: GenerateOptions = {}) =>
    issue("server", {
      ...issuer,
      ...validity,
      extensions: [
        { name: "basicConstraints", cA: false },
        {
          name: "subjectAltName",
          altNames: names.map((own) => (address.test(own) ? { type: 7, ip: own } : { type: 2, value: own }))
        }
      ]
    })
  return {
    cert,
    forServer: (...names) => forServer(names),
    expired: (...names) =>
      forServer(names, { notBeforeDate: new Date("2001-01-01"), notAfterDate: new Date("2002-01-01") }),
    forClient: (role) => issue(role, { ...issuer, extensions: [{ name: "basicConstraints", cA: false }] })
  }
}
