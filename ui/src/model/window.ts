/** Which rows of a long list stand in the window. */

export interface Slice {
  first: number;
  /** Exclusive. */
  last: number;
}

export function sliceOf(scrollTop: number, viewHeight: number, rowHeight: number, count: number, over = 8): Slice {
  const first = Math.max(0, Math.floor(scrollTop / rowHeight) - over);
  const last = Math.min(count, Math.ceil((scrollTop + viewHeight) / rowHeight) + over);
  return { first: Math.min(first, last), last };
}

/** Where to scroll so that the row is seen whole; the same place if it is. A step scrolls by a row, a leap to the middle. */
export function scrollToShow(index: number, scrollTop: number, viewHeight: number, rowHeight: number): number {
  const top = index * rowHeight;
  const leap = top + 2 * rowHeight < scrollTop || top - rowHeight > scrollTop + viewHeight;
  if (leap) return Math.max(0, top - Math.floor((viewHeight - rowHeight) / 2));
  if (top < scrollTop) return top;
  if (top + rowHeight > scrollTop + viewHeight) return top + rowHeight - viewHeight;
  return scrollTop;
}
