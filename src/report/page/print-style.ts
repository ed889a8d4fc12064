/** The page on paper: light, nothing folded that explains the result, nothing cut off, and no caption or heading apart from what it is about. */
export const PRINT = `
@media print {
  :root { color-scheme: only light; }
  body { font-size: 10pt; line-height: 1.45; background: none; } main { width: auto; margin: 0; padding: 0; }
  .contents, .hint, .screen, .narrow, .rows > :not(summary), details:not(.section, .rows) { display: none; } .wide, .paper { display: block; }
  h1 { font-size: 18pt; } h2 { font-size: 13pt; margin-top: 24pt; } h1, h2, h3, h2 + p, .caption, summary { break-after: avoid; }
  .attention .stage { display: none; } .attention .still { display: block; }
  .section::details-content { content-visibility: visible; block-size: auto; } summary { list-style: none; } summary::-webkit-details-marker { display: none; }
  .section { border: 0; font-size: 9.5pt; } .back { border: 0; margin-top: 18pt; } .section > summary { padding: 10pt 0 4pt; } .section h2 { margin: 0; }
  figure, header + figure { margin: 14pt 0 18pt; } figure, .short, .text, li, dt, dd { break-inside: avoid; } figure:has(.texts) { break-inside: auto; } .legend { break-after: avoid; }
  figcaption { break-before: avoid; } header + figure .texts { max-height: none; overflow: visible; mask-image: none; padding: 0; } dt { break-after: avoid; }
  .scroll { width: auto; margin: 0; overflow: visible; max-height: none; mask-image: none; } .scroll > * { margin: 0; } figure :is(.wide, .paper) > svg { width: auto; max-width: 100%; max-height: 108mm; }
  .scroll > table { width: 100%; min-width: 0; font-size: 8.5pt; } .scroll > .broad { font-size: 7pt; line-height: 1.3; } .scroll > .broad :is(th, td) { padding-left: 4px; padding-right: 4px; }
  .scroll tr > :first-child, .tall thead th { position: static; box-shadow: none; } .tall thead th { border-bottom: 1.5px solid var(--ink); }
  td.words { min-width: 0; overflow-wrap: anywhere; }
  thead { display: table-header-group; } tr { break-inside: avoid; } tbody tr:nth-child(-n + 2) { break-before: avoid; } tbody tr:last-child { break-before: avoid; }
  a { color: inherit; text-decoration: none; }
}
`;
