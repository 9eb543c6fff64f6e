import { dataDirectory } from './data-directory.ts'
import { readLiveRunState } from './run-state.ts'

const dataDir = dataDirectory()
const state = readLiveRunState(dataDir)
if (state?.ownerUrl) {
  console.log(state.ownerUrl)
} else {
  console.error(`No ATUM Desk runs on ${dataDir}. Start one with \`npm start\`.`)
  process.exitCode = 1
}
