/** Where a plugin's definition was found; every thread imports it from there. */
export interface PluginRef {
  readonly kind: 'reader' | 'writer' | 'transformer';
  readonly name: string;
  /** URL of the module. */
  readonly module: string;
  readonly exportName: string;
  /** True for the plugins that come with dray. */
  readonly isBuiltIn: boolean;
}
