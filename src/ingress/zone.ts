/** Whether a name lies in one of the zones; no zones means any. */
export const matchesZone = (name: string, zones: readonly string[]): boolean =>
  zones.length === 0 ||
  zones.map((zone) => zone.toLowerCase().replace(/\.$/, '')).some((zone) => name === zone || name.endsWith(`.${zone}`));
