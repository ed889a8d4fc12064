/** What pictures use of Observable Plot, named so that a bundler leaves out the rest of it. */
export {
  areaY,
  axisX,
  axisY,
  cell,
  dot,
  gridX,
  gridY,
  line,
  plot,
  rectX,
  rectY,
  ruleX,
  ruleY,
} from "@observablehq/plot";
