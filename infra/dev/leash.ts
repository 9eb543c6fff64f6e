import { spawn } from 'node:child_process'

// `read` returns when a word comes (let go) or when the pipe closes because the holder is gone, however it died.
const watch = `
read -r word && exit 0
kill -s "$1" -- "$2" 2>/dev/null
rounds=0
while [ $rounds -lt 40 ] && kill -s 0 -- "$2" 2>/dev/null; do sleep 0.1; rounds=$((rounds + 1)); done
kill -s "$3" -- "$2" 2>/dev/null
[ -z "$4" ] || { sleep 0.2; rm -rf -- "$4"; }
`

/** What to do when this process is gone and could not clean up behind itself. */
export interface LeashOptions {
  /** The process to stop; a negative number names a whole process group. */
  target: number
  /** The polite signal. */
  signal: 'SIGINT' | 'SIGTERM'
  /** The signal for what is still there four seconds later. */
  escalation: 'SIGQUIT' | 'SIGKILL'
  /** A directory that goes with it. */
  removeDirectory?: string
}

/** Holds a process that must not outlive this one. */
export interface Leash {
  /** The process has been stopped in the ordinary way: nothing is left to do. */
  release(): void
}

/**
 * Ties another process to the life of this one, also when this one is killed with SIGKILL and no handler of ours
 * runs. A small shell waits at the other end of a pipe that only this process holds.
 */
export function putOnLeash({ target, signal, escalation, removeDirectory }: LeashOptions): Leash {
  const signalName = (name: string) => name.slice('SIG'.length)
  const shell = spawn(
    '/bin/sh',
    [
      '-c',
      watch,
      'atum-leash',
      signalName(signal),
      String(target),
      signalName(escalation),
      removeDirectory ?? '',
    ],
    // Its own session: the signal that ends us must not end it too.
    { cwd: '/', detached: true, stdio: ['pipe', 'ignore', 'ignore'] },
  )
  shell.on('error', () => {})
  shell.stdin.on('error', () => {})
  shell.unref()
  // `unref` of a pipe is there at run time and missing from the type of a writable stream.
  if ('unref' in shell.stdin && typeof shell.stdin.unref === 'function') shell.stdin.unref()
  return {
    release() {
      shell.stdin.end('done\n')
    },
  }
}
