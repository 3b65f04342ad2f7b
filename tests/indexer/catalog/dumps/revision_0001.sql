BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE audio_features (
	content_hash TEXT NOT NULL, 
	feature_version TEXT NOT NULL, 
	features BLOB NOT NULL, 
	duration_s DOUBLE NOT NULL, 
	flags JSON NOT NULL, 
	CONSTRAINT pk_audio_features PRIMARY KEY (content_hash, feature_version)
);
INSERT INTO "audio_features" VALUES('content','v1',X'0000000000000000000000000000F03F000000000000004000000000000008400000000000001040000000000000144000000000000018400000000000001C40000000000000204000000000000022400000000000002440000000000000264000000000000028400000000000002A400000000000002C400000000000002E40000000000000304000000000000031400000000000003240000000000000334000000000000034400000000000003540',30.5,'["shortened"]');
CREATE TABLE audio_files (
	song_key INTEGER NOT NULL, 
	content_hash TEXT NOT NULL, 
	size_bytes BIGINT NOT NULL, 
	modified_ns BIGINT NOT NULL, 
	CONSTRAINT pk_audio_files PRIMARY KEY (song_key), 
	CONSTRAINT fk_audio_files_song_key_songs FOREIGN KEY(song_key) REFERENCES songs ("key") ON DELETE CASCADE
);
INSERT INTO "audio_files" VALUES(1,'content',1234,1700000000000000000);
CREATE TABLE embeddings (
	model_key INTEGER NOT NULL, 
	song_key INTEGER NOT NULL, 
	input_hash TEXT NOT NULL, 
	vector BLOB NOT NULL, 
	labels BLOB NOT NULL, 
	coverage JSON NOT NULL, 
	CONSTRAINT pk_embeddings PRIMARY KEY (model_key, song_key), 
	CONSTRAINT fk_embeddings_song_key_songs FOREIGN KEY(song_key) REFERENCES songs ("key") ON DELETE CASCADE, 
	CONSTRAINT fk_embeddings_model_key_models FOREIGN KEY(model_key) REFERENCES models ("key") ON DELETE CASCADE
);
INSERT INTO "embeddings" VALUES(1,1,'in1',X'0000803F0000000000000000',X'0000003F0000003F0000003F0000003F0000003F0000003F0000003F0000003F0000003F0000003F0000003F0000003F0000003F0000003F0000003F0000003F0000003F0000003F0000003F','["lyrics", "genre"]');
INSERT INTO "embeddings" VALUES(1,2,'in2',X'000000009A99193FCDCC4C3F',X'00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000','["year"]');
CREATE TABLE errors (
	song_key INTEGER NOT NULL, 
	stage TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	input_hash TEXT NOT NULL, 
	code_version TEXT NOT NULL, 
	attempts INTEGER NOT NULL, 
	last_at DATETIME NOT NULL, 
	CONSTRAINT pk_errors PRIMARY KEY (song_key, stage), 
	CONSTRAINT fk_errors_song_key_songs FOREIGN KEY(song_key) REFERENCES songs ("key") ON DELETE CASCADE
);
INSERT INTO "errors" VALUES(2,'features','no audio','in2','v1',1,'2026-11-22 19:34:43.738841');
CREATE TABLE imports (
	"key" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	source TEXT NOT NULL, 
	started_at DATETIME NOT NULL, 
	finished_at DATETIME, 
	added INTEGER NOT NULL, 
	updated INTEGER NOT NULL, 
	unchanged INTEGER NOT NULL, 
	rejected INTEGER NOT NULL
);
INSERT INTO "imports" VALUES(1,'/music/songs.csv','2026-11-22 19:34:43.714799','2026-11-22 19:34:43.723859',2,0,0,1);
CREATE TABLE index_builds (
	"key" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	model_key INTEGER NOT NULL, 
	state TEXT NOT NULL, 
	stage TEXT NOT NULL, 
	done INTEGER NOT NULL, 
	total INTEGER NOT NULL, 
	started_at DATETIME NOT NULL, 
	updated_at DATETIME NOT NULL, 
	version TEXT, 
	message TEXT, 
	CONSTRAINT fk_index_builds_model_key_models FOREIGN KEY(model_key) REFERENCES models ("key")
);
INSERT INTO "index_builds" VALUES(1,1,'published','',0,0,'2026-11-22 19:34:43.739522','2026-11-22 19:34:43.744330','index-1',NULL);
CREATE TABLE label_columns (
	slug TEXT NOT NULL, 
	position INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	minimum DOUBLE NOT NULL, 
	maximum DOUBLE NOT NULL, 
	CONSTRAINT pk_label_columns PRIMARY KEY (slug)
);
INSERT INTO "label_columns" VALUES('dating',0,'dating',0.0,1.0);
INSERT INTO "label_columns" VALUES('violence',1,'violence',0.0,1.0);
INSERT INTO "label_columns" VALUES('world_life',2,'world/life',0.0,1.0);
INSERT INTO "label_columns" VALUES('night_time',3,'night/time',0.0,1.0);
INSERT INTO "label_columns" VALUES('shake_the_audience',4,'shake the audience',0.0,1.0);
INSERT INTO "label_columns" VALUES('family_gospel',5,'family/gospel',0.0,1.0);
INSERT INTO "label_columns" VALUES('romantic',6,'romantic',0.0,1.0);
INSERT INTO "label_columns" VALUES('communication',7,'communication',0.0,1.0);
INSERT INTO "label_columns" VALUES('obscene',8,'obscene',0.0,1.0);
INSERT INTO "label_columns" VALUES('music',9,'music',0.0,1.0);
INSERT INTO "label_columns" VALUES('movement_places',10,'movement/places',0.0,1.0);
INSERT INTO "label_columns" VALUES('light_visual_perceptions',11,'light/visual perceptions',0.0,1.0);
INSERT INTO "label_columns" VALUES('family_spiritual',12,'family/spiritual',0.0,1.0);
INSERT INTO "label_columns" VALUES('like_girls',13,'like/girls',0.0,1.0);
INSERT INTO "label_columns" VALUES('sadness',14,'sadness',0.0,1.0);
INSERT INTO "label_columns" VALUES('feelings',15,'feelings',0.0,1.0);
INSERT INTO "label_columns" VALUES('danceability',16,'danceability',0.0,1.0);
INSERT INTO "label_columns" VALUES('loudness',17,'loudness',0.0,1.0);
INSERT INTO "label_columns" VALUES('energy',18,'energy',0.0,1.0);
CREATE TABLE lyrics (
	song_key INTEGER NOT NULL, 
	text TEXT NOT NULL, 
	text_hash TEXT NOT NULL, 
	CONSTRAINT pk_lyrics PRIMARY KEY (song_key), 
	CONSTRAINT fk_lyrics_song_key_songs FOREIGN KEY(song_key) REFERENCES songs ("key") ON DELETE CASCADE
);
INSERT INTO "lyrics" VALUES(1,'line one
line two','b6858b03a6cae635deeaeab09a74e598979b72c917cbfff0bb3fe2cd05111dbc');
CREATE TABLE models (
	"key" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	model_id TEXT NOT NULL, 
	dimension INTEGER NOT NULL, 
	labels JSON NOT NULL, 
	created_at DATETIME NOT NULL, 
	CONSTRAINT uq_models_model_id UNIQUE (model_id)
);
INSERT INTO "models" VALUES(1,'model-1',3,'[{"name": "dating", "slug": "dating", "minimum": 0.0, "maximum": 1.0}, {"name": "violence", "slug": "violence", "minimum": 0.0, "maximum": 1.0}, {"name": "world/life", "slug": "world_life", "minimum": 0.0, "maximum": 1.0}, {"name": "night/time", "slug": "night_time", "minimum": 0.0, "maximum": 1.0}, {"name": "shake the audience", "slug": "shake_the_audience", "minimum": 0.0, "maximum": 1.0}, {"name": "family/gospel", "slug": "family_gospel", "minimum": 0.0, "maximum": 1.0}, {"name": "romantic", "slug": "romantic", "minimum": 0.0, "maximum": 1.0}, {"name": "communication", "slug": "communication", "minimum": 0.0, "maximum": 1.0}, {"name": "obscene", "slug": "obscene", "minimum": 0.0, "maximum": 1.0}, {"name": "music", "slug": "music", "minimum": 0.0, "maximum": 1.0}, {"name": "movement/places", "slug": "movement_places", "minimum": 0.0, "maximum": 1.0}, {"name": "light/visual perceptions", "slug": "light_visual_perceptions", "minimum": 0.0, "maximum": 1.0}, {"name": "family/spiritual", "slug": "family_spiritual", "minimum": 0.0, "maximum": 1.0}, {"name": "like/girls", "slug": "like_girls", "minimum": 0.0, "maximum": 1.0}, {"name": "sadness", "slug": "sadness", "minimum": 0.0, "maximum": 1.0}, {"name": "feelings", "slug": "feelings", "minimum": 0.0, "maximum": 1.0}, {"name": "danceability", "slug": "danceability", "minimum": 0.0, "maximum": 1.0}, {"name": "loudness", "slug": "loudness", "minimum": 0.0, "maximum": 1.0}, {"name": "energy", "slug": "energy", "minimum": 0.0, "maximum": 1.0}]','2026-11-22 19:34:43.731790');
CREATE TABLE rejects (
	"key" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	import_key INTEGER NOT NULL, 
	line BIGINT, 
	location TEXT NOT NULL, 
	field TEXT NOT NULL, 
	value TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	CONSTRAINT fk_rejects_import_key_imports FOREIGN KEY(import_key) REFERENCES imports ("key") ON DELETE CASCADE
);
INSERT INTO "rejects" VALUES(1,1,4,'songs.csv','year','soon','is not a year');
CREATE TABLE songs (
	"key" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	song_id TEXT NOT NULL, 
	title TEXT, 
	artist TEXT, 
	album TEXT, 
	genre TEXT, 
	year INTEGER, 
	labels JSON, 
	audio_path TEXT, 
	search_text TEXT NOT NULL, 
	row_hash TEXT NOT NULL, 
	source TEXT NOT NULL, 
	updated_at DATETIME NOT NULL, 
	CONSTRAINT uq_songs_song_id UNIQUE (song_id)
);
INSERT INTO "songs" VALUES(1,'a1','Café','Zoë','Album','hip hop',1994,'{"dating": 0.25, "energy": 0.5}','/music/a1.wav','cafe
zoe','fdf7c3361921feacd0d9154e2a74a2b5e0ae6e7460b448b337498ddd07e70838','/music/songs.csv','2026-11-22 19:34:43.721163');
INSERT INTO "songs" VALUES(2,'b2',NULL,NULL,NULL,NULL,2001,NULL,NULL,'
','0f10552a6ef6c27605500d11072b122205165040831dcb54441b2c919ad416aa','','2026-11-22 19:34:43.721171');
CREATE INDEX ix_audio_files_content_hash ON audio_files (content_hash);
CREATE INDEX ix_embeddings_song_key ON embeddings (song_key);
CREATE INDEX ix_rejects_import_key ON rejects (import_key);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('imports',1);
INSERT INTO "sqlite_sequence" VALUES('songs',2);
INSERT INTO "sqlite_sequence" VALUES('rejects',1);
INSERT INTO "sqlite_sequence" VALUES('models',1);
INSERT INTO "sqlite_sequence" VALUES('index_builds',1);
COMMIT;
