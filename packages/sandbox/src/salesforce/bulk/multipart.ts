/** A job and its rows in one POST: the `multipart/form-data` of small jobs. salesforce.md §2.7. */

export interface Part {
  readonly name: string
  readonly content: string
}

/** `undefined`: the body is not multipart. */
export const partsOf = (contentType: string, body: string): ReadonlyArray<Part> | undefined => {
  const boundary = /^multipart\/form-data;.*boundary="?([^";]+)"?/i.exec(contentType)?.[1]
  if (boundary === undefined) return undefined
  return body.split(`--${boundary}`).flatMap((part) => {
    const at = /\r?\n\r?\n/.exec(part)
    const name = /name="([^"]+)"/i.exec(part)?.[1]
    if (at === null || name === undefined) return []
    return [{ name, content: part.slice(at.index + at[0].length).replace(/\r?\n$/, "") }]
  })
}
