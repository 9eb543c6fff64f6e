/**
 * To be imported before anything else: how many threads Node has for the disk and for asking where names lead. Names are asked
 * for in half of them. With the usual four, two names of one organization whose name servers are silent would keep all
 * others from being asked for.
 */
// eslint-disable-next-line no-restricted-properties -- it is set, and not read
process.env.UV_THREADPOOL_SIZE ??= '128'
