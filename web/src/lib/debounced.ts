import { useEffect, useState } from 'react'

/** The value as it was when it last rested: what is asked of the server while somebody types. */
export function useDebounced<Value>(value: Value, restMs = 200): Value {
  const [rested, setRested] = useState(value)
  useEffect(() => {
    const timer = setTimeout(() => setRested(value), restMs)
    return () => clearTimeout(timer)
  }, [value, restMs])
  return rested
}
