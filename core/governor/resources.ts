import { type Reader, type Resource, resourceName, type Split } from '../sdk/index.ts';

/** The servers that a split is read from: one, or those of the members of a pack; none if the reader names none. */
export function resourcesOf(reader: Reader, split: Split): Resource[] {
  const found = new Map<string, Resource>();
  for (const member of split.members ?? [split]) {
    const resource = reader.resource?.(member);
    if (resource !== undefined) found.set(resourceKey(resource), resource);
  }
  return [...found.values()];
}

/** Two that have the same are the same server. */
export function resourceKey(resource: Resource): string {
  return `${resource.kind}://${resourceName(resource).toLowerCase()}`;
}
