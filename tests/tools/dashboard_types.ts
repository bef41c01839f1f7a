// What Grafana's published types (@grafana/schema) say of a dashboard as JSON, for the panels that ours have.
// Those types are of Grafana's code: there an enum is no string, and what Grafana fills in is not optional.
// Of queries of Prometheus (in panels, annotations and variables) they say nothing: that stands here.
import type * as S from './node_modules/@grafana/schema/dist/types/raw/dashboard/x/types.gen';
import type * as Bar from './node_modules/@grafana/schema/dist/types/raw/composable/barchart/panelcfg/x/types.gen';
import type * as Heatmap from './node_modules/@grafana/schema/dist/types/raw/composable/heatmap/panelcfg/x/types.gen';
import type * as Stat from './node_modules/@grafana/schema/dist/types/raw/composable/stat/panelcfg/x/types.gen';
import type * as Table from './node_modules/@grafana/schema/dist/types/raw/composable/table/panelcfg/x/types.gen';
import type * as Lines from './node_modules/@grafana/schema/dist/types/raw/composable/timeseries/panelcfg/x/types.gen';

interface Target {
  refId: string;
  datasource: S.DataSourceRef;
  expr: string;
  legendFormat: string;
  editorMode: 'code';
  range: boolean;
  instant?: boolean;
  format?: 'time_series' | 'table' | 'heatmap';
}

interface Annotation extends S.AnnotationQuery {
  expr: string;
  step: string;
  titleFormat: string;
  textFormat: string;
  useValueForTime: boolean;
}

interface Variable extends Omit<S.VariableModel, 'query'> {
  query: string | { query: string; refId: string };
  definition?: string;
}

type Loose<T> = T extends unknown[] ? T : T extends object ? { [K in keyof T]?: Loose<T[K]> } : T;
type Standard = Omit<S.FieldConfig, 'custom'>;
type Property<Custom> =
  | { [K in keyof Standard]-?: { id: K; value: Standard[K] } }[keyof Standard]
  | { [K in keyof Custom & string]-?: { id: `custom.${K}`; value: Custom[K] } }[keyof Custom & string];
interface Fields<Custom> {
  defaults: Standard & { custom: Custom };
  overrides: { matcher: S.MatcherConfig; properties: Property<Custom>[] }[];
}
type Panel<Type, Options, Custom> = Omit<S.Panel, 'type' | 'options' | 'fieldConfig' | 'targets'> & {
  id: number;
  type: Type;
  gridPos: S.GridPos;
  targets: Target[];
  options: Loose<Options>;
  fieldConfig: Fields<Loose<Custom>>;
};
type AnyPanel =
  | Panel<'timeseries', Lines.Options, Lines.FieldConfig>
  | Panel<'stat', Stat.Options, {}>
  | Panel<'table', Table.Options, Table.FieldConfig>
  | Panel<'heatmap', Heatmap.Options, Heatmap.FieldConfig>
  | Panel<'barchart', Bar.Options, Bar.FieldConfig>
  | S.RowPanel;

// JSON holds the text of an enum's value.
type Json<T> = T extends string ? `${T}`
  : T extends unknown[] ? { [K in keyof T]: Json<T[K]> }
  : T extends object ? { [K in keyof T]: Json<T[K]> }
  : T;

export type Dashboard = Json<
  Omit<S.Dashboard, 'annotations' | 'panels' | 'templating'> & {
    annotations: { list: Annotation[] };
    panels: AnyPanel[];
    templating: { list: Variable[] };
  }
>;
