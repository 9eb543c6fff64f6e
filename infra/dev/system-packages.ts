import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { runProgram } from './run-program.ts'

/** A program that some tests need and npm does not bring. */
export interface SystemPackage {
  /** The Debian package. */
  name: string
  /** Any of these on the PATH will do. */
  programs: string[]
  /** The vitest projects whose tests use it. */
  projects: string[]
  /** Their files, where the rest of these projects does without it. */
  files?: string[]
  /** What it is told when it is installed, as `debconf-set-selections` reads it. */
  answers?: string[]
  /** Completes "without it, …". */
  missing: string
}

/** Everything that real tests need from the distribution. */
export const systemPackages: SystemPackage[] = [
  {
    name: 'chromium',
    programs: ['chromium', 'chromium-browser', 'google-chrome'],
    projects: ['e2e'],
    missing: 'no test looks at the screens in a browser',
  },
  {
    name: 'slapd',
    programs: ['slapd'],
    projects: ['server'],
    files: ['server/routes/auth/directory.test.ts'],
    // Without a configuration there is no directory that the system could start, now or at the next boot.
    answers: ['slapd slapd/no_configuration boolean true'],
    missing: 'no test asks a directory',
  },
  {
    name: 'openssl',
    programs: ['openssl'],
    projects: ['server', 'worker'],
    files: ['server/routes/auth/directory.test.ts', 'worker/mail-server.test.ts'],
    missing: 'no test asks a directory or a mail server that needs a certificate',
  },
  {
    name: 'clamav-daemon',
    programs: ['clamd'],
    projects: ['worker', 'e2e'],
    missing: 'no file is scanned by a real scanner',
  },
  {
    name: 'dovecot-imapd',
    programs: ['dovecot'],
    projects: ['worker', 'e2e'],
    missing: 'no mail is fetched from a real mailbox',
  },
]

/** Where a program is: for a test that needs it, or that says by `skip` why it did not run. */
export function findProgram(...names: string[]): string | undefined {
  // Debian keeps servers where an ordinary user's PATH does not look.
  const directories = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  for (const name of names) {
    for (const directory of directories) {
      try {
        accessSync(join(directory, name), constants.X_OK)
        return join(directory, name)
      } catch {
        // Not here.
      }
    }
  }
  return undefined
}

/** The packages of which no program is there. */
export function missingPackages(packages: SystemPackage[]): SystemPackage[] {
  return packages.filter(({ programs }) => !findProgram(...programs))
}

/** Whether this machine lets us install Debian packages without asking anybody. */
export function canInstallPackages(): boolean {
  return process.getuid?.() === 0 && findProgram('apt-get') !== undefined
}

/** Installs Debian packages, asking nothing. */
export async function installPackages(packages: SystemPackage[]): Promise<void> {
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  await runProgram('apt-get', ['update', '-qq'], { environment })
  const answers = packages.flatMap((each) => each.answers ?? [])
  if (answers.length > 0) {
    await runProgram('sh', ['-c', 'printf "%s\\n" "$@" | debconf-set-selections', 'sh', ...answers], {
      environment,
    })
  }
  await runProgram(
    'apt-get',
    ['install', '-y', '-qq', '--no-install-recommends', ...packages.map(({ name }) => name)],
    { environment },
  )
}
