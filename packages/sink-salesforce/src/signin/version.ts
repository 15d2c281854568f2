/** Which version of the API to speak: versions end, so none is built in for good (salesforce trap 42). */

/** The newest this plugin was tested with. */
const TESTED = 67

/** The newest that is not newer than tested; where all are newer, the oldest of them. */
export const chooseVersion = (offered: ReadonlyArray<string>): string => {
  const known = offered.map(Number).filter((version) => Number.isFinite(version))
  const fit = known.filter((version) => version <= TESTED)
  if (fit.length > 0) return Math.max(...fit).toFixed(1)
  return (known.length > 0 ? Math.min(...known) : TESTED).toFixed(1)
}
