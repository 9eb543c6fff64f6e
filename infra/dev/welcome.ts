import { relative } from 'node:path'
import type { ScannerEnvironment } from '../../worker/files/scanner-environment.ts'
import { demo } from './demo.ts'
import { repository } from './repository.ts'
import { colour, print } from './terminal.ts'

/** The screen of a run that is ready. */
export function welcome(options: {
  address: string
  dataDir: string
  database: string
  hasDemo: boolean
  /** By what files are scanned; undefined where they are not. */
  scanner: ScannerEnvironment | undefined
  readyIn: string
}): void {
  const row = (label: string, text: string) => print(`  ${colour.dim(label.padEnd(12))}${text}`)
  const inside = relative(repository, options.dataDir)
  const dataDir = inside.startsWith('..') ? options.dataDir : inside

  print()
  print(`  ${colour.bold(colour.green('Ready'))} in ${options.readyIn}   ${colour.bold(options.address)}`)
  print()
  if (options.hasDemo) {
    row('Log in as', `${demo.roles.map((role) => `${role}@${demo.organizations[0]}`).join('  ')}`)
    row('', colour.dim(`the same four at ${demo.organizations.slice(1).join(', ')}: another tenant`))
    row('Password', demo.password)
    print()
  }
  row('Database', options.database)
  row('Data', `${dataDir} ${colour.dim(`(logs in ${dataDir}/log)`)}`)
  row('Attachments', scannerWords(options.scanner))
  row('Stop', 'Ctrl-C')
  print()
}

function scannerWords(scanner: ScannerEnvironment | undefined): string {
  if (!scanner) return 'not scanned for viruses here (ATTACHMENT_SCANNER=off)'
  const { address } = scanner
  return `scanned for viruses by clamd at ${'socket' in address ? address.socket : `${address.host}:${address.port}`}`
}
