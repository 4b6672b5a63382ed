mod ingest;
mod stats;
