export type Period = 'this_week' | 'last_week' | 'this_month' | 'last_month' | 'this_year'

export interface Days {
  from: string
  to: string
}

const dayOf = (date: Date) =>
  `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, '0')}-${String(date.getDate()).padStart(2, '0')}`

/** The first and the last day of a period, as the days are where the reader is. Weeks begin on Monday. */
export function daysOf(period: Period, today: Date): Days {
  const year = today.getFullYear()
  const month = today.getMonth()
  const monday = today.getDate() - ((today.getDay() + 6) % 7)
  const days = (from: [number, number, number], to: [number, number, number]): Days => ({
    from: dayOf(new Date(...from)),
    to: dayOf(new Date(...to)),
  })
  switch (period) {
    case 'this_week':
      return days([year, month, monday], [year, month, monday + 6])
    case 'last_week':
      return days([year, month, monday - 7], [year, month, monday - 1])
    case 'this_month':
      return days([year, month, 1], [year, month + 1, 0])
    case 'last_month':
      return days([year, month - 1, 1], [year, month, 0])
    case 'this_year':
      return days([year, 0, 1], [year, 11, 31])
  }
}
