/** Values shorter than this are not searched for in free text: `a` would mask half of every sentence. */
const minLength = 4;

/** Keys whose values are dray's own words, which stay what they are even if somebody's password is `postgres`. */
const ownWords = new Set(['run', 'state', 'guarantee', 'reader', 'writer', 'code', 'side', 'type', 'kind']);

/** Replaces secrets wherever dray is about to print something. */
export class SecretMask {
  readonly #secrets = new Set<string>();

  add(...values: readonly string[]): void {
    for (const value of values) {
      if (value.length < minLength) continue;
      this.#secrets.add(value);
      this.#secrets.add(encodeURIComponent(value));
      // As it appears inside printed JSON.
      this.#secrets.add(JSON.stringify(value).slice(1, -1));
    }
  }

  /** A value as one line of JSON. Masked text by text: a password like `1234` must not eat numbers, or break the JSON. */
  json(value: unknown): string {
    return JSON.stringify(value, (key, item: unknown) => (typeof item === 'string' && !ownWords.has(key) ? this.apply(item) : item));
  }

  apply(text: string): string {
    let masked = text;
    // Longest first, so that one secret that contains another leaves nothing over.
    for (const secret of [...this.#secrets].sort((a, b) => b.length - a.length)) masked = masked.replaceAll(secret, '***');
    // A password in a URL may hold an unescaped @: the last one ends it.
    return masked.replace(/(\w+:\/\/[^\s:/@]+):[^\s/]+@/g, '$1:***@').replace(/([?&]password=)[^\s&"']+/gi, '$1***');
  }
}

interface JsonSchemaNode {
  readonly secret?: boolean;
  readonly properties?: Readonly<Record<string, JsonSchemaNode>>;
  readonly items?: JsonSchemaNode;
  readonly anyOf?: readonly JsonSchemaNode[];
}

/** The texts in `value` at places that the JSON Schema marks `secret: true`. */
export function secretsIn(value: unknown, schema: JsonSchemaNode): string[] {
  if (schema.secret === true) return typeof value === 'string' || typeof value === 'number' ? [String(value)] : [];
  if (schema.anyOf !== undefined) return schema.anyOf.flatMap((branch) => secretsIn(value, branch));
  if (Array.isArray(value)) return schema.items === undefined ? [] : value.flatMap((item) => secretsIn(item, schema.items!));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => {
    const property = schema.properties?.[key];
    return property === undefined ? [] : secretsIn(item, property);
  });
}
