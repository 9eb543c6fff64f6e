declare module 'virtual:trusted-documents' {
  /** The sha256 of each operation, by its name. */
  export const documentHashes: Readonly<Record<string, string>>
}
